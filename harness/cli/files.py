"""Which files a command or a pytest session takes for scenarios."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.errors import HarnessUsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["OTHER_TOOLS", "scenario_files"]

OTHER_TOOLS: Final = frozenset(
    {"Cargo.toml", "pyproject.toml", "pytest.toml", "ruff.toml", "tox.toml", "uv.toml"}
)
"""TOML files that are something else wherever they lie."""


def scenario_files(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Files as they are, folders as the scenario files below them, each file once.

    Raises:
        HarnessUsageError: There is no scenario file in a folder.
    """
    files: dict[Path, None] = {}
    for path in paths:
        below = tuple(_below(path)) if path.is_dir() else (path,)
        if not below:
            message = f"{path} must hold scenario files, got a folder without any."
            raise HarnessUsageError(message)
        files |= dict.fromkeys(below)
    return tuple(files)


def _below(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*.toml")):
        hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        if not hidden and file.name not in OTHER_TOOLS:
            yield file
