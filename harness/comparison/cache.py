"""A folder of throw-away environments, checkouts and verdicts, safe with several processes at once.

Everything is built beside its place and then renamed, so that what was broken off is never used.
Two processes that need the same thing build it twice; the second to finish takes the first's.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.errors import HarnessUsageError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Cache", "default_cache"]

_MARK: Final = "CACHEDIR.TAG"
_MARK_TEXT: Final = (
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# Throw-away environments of the training harness. All of it may be deleted at any time.\n"
)
_PART: Final = ".part-"
_FOLDER: Final = "environments"


def default_cache() -> Path:
    """Below ``HARNESS_CACHE_DIR``, else below a folder of ours among the user's caches."""
    if chosen := os.environ.get("HARNESS_CACHE_DIR"):
        return Path(chosen) / _FOLDER
    base = os.environ.get("XDG_CACHE_HOME")
    caches = Path(base) if base else Path.home() / ".cache"
    return caches / "pytest-training-harness" / _FOLDER


@dataclass(frozen=True, slots=True)
class Cache:
    """The folder.

    Attributes:
        folder: Made when something is put into it.
    """

    folder: Path

    def built(self, name: str, build: Callable[[Path], None]) -> Path:
        """The folder of this name, built by `build` if it is not there.

        Args:
            name: Says everything that the content depends on.
            build: Fills an empty folder; what it raises comes out of here, and nothing is left.

        Raises:
            HarnessUsageError: The cache cannot be written.
        """
        target = self.folder / name
        if target.exists():
            return target
        self._begin()
        part = Path(tempfile.mkdtemp(dir=self.folder, prefix=_PART))
        try:
            build(part)
            try:
                os.replace(part, target)  # noqa: PTH105 - a folder, which Path.replace types as a file
            except OSError:
                # Another process was faster; its content is the same.
                if not target.exists():
                    raise
        finally:
            shutil.rmtree(part, ignore_errors=True)
        return target

    def read(self, name: str) -> str | None:
        """The text kept under this name; None where there is none."""
        try:
            return (self.folder / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    def write(self, name: str, text: str) -> None:
        """Keep a text, whole or not at all.

        Raises:
            HarnessUsageError: The cache cannot be written.
        """
        self._begin()
        target = self.folder / name
        target.parent.mkdir(exist_ok=True)
        handle, part = tempfile.mkstemp(dir=self.folder, prefix=_PART)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(part).replace(target)
        finally:
            with suppress(FileNotFoundError):
                Path(part).unlink()

    def clean(self) -> int:
        """Remove everything; returns how many bytes that gave back.

        Raises:
            HarnessUsageError: The folder is not one of ours.
        """
        if not self.folder.exists():
            return 0
        if any(self.folder.iterdir()) and not (self.folder / _MARK).exists():
            message = (
                f"{self.folder} must be a cache of the harness to be removed, got a folder without "
                f"{_MARK}. Remove it by hand if it is one."
            )
            raise HarnessUsageError(message)
        size = _size(self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)
        return size

    def _begin(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            # A folder that holds somebody's files is used, but never marked as ours to remove.
            if not any(self.folder.iterdir()):
                (self.folder / _MARK).write_text(_MARK_TEXT, encoding="utf-8")
        except OSError as error:
            message = (
                f"the cache must be a folder that can be written, got {self.folder}: {error}. "
                "Choose another with --cache or HARNESS_CACHE_DIR."
            )
            raise HarnessUsageError(message) from error


def _size(folder: Path) -> int:
    """Bytes that files below a folder take; those with several names count once."""
    seen: dict[tuple[int, int], int] = {}
    for file in folder.rglob("*"):
        with suppress(OSError):
            about = file.lstat()
            seen[about.st_dev, about.st_ino] = about.st_size
    return sum(seen.values())
