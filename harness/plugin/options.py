"""Command-line options and ini values, and which files are scenarios."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["HarnessOptions", "add_options", "is_scenario"]

_PROFILES = ("quick", "ci", "thorough")
_FOLDER = "scenarios"


@dataclass(frozen=True, slots=True, kw_only=True)
class HarnessOptions:
    """What a pytest session asks of the harness.

    Attributes:
        profile: How much is drawn.
        seed: Where draws start; None leaves it to the profile.
        found: Folder of draws that failed before.
    """

    profile: str
    seed: int | None
    found: Path

    @classmethod
    def of(cls, config: pytest.Config) -> HarnessOptions:
        """The options of one session; the command line goes before the ini file.

        Raises:
            pytest.UsageError: The profile of the ini file does not exist.
        """
        profile = config.getoption("harness_profile") or config.getini("harness_profile")
        if profile not in _PROFILES:
            message = f"harness_profile must be one of {', '.join(_PROFILES)}, got {profile!r}."
            raise pytest.UsageError(message)
        return cls(
            profile=profile,
            seed=config.getoption("harness_seed"),
            found=config.rootpath / ".harness" / "found",
        )


def add_options(parser: pytest.Parser) -> None:
    """Register the options and ini values of the harness."""
    group = parser.getgroup("harness", "training scenarios")
    group.addoption(
        "--harness-profile",
        choices=_PROFILES,
        default=None,
        help="how much scenarios draw: quick (default) and ci draw the same every time, "
        "thorough draws anew and keeps what fails",
    )
    group.addoption(
        "--harness-seed",
        type=int,
        default=None,
        metavar="N",
        help="where the draws of every scenario start",
    )
    parser.addini(
        "harness_profile",
        "profile when none is given: quick, ci or thorough",
        "string",
        "quick",
    )
    parser.addini(
        "harness_paths",
        "folders or glob patterns of scenario files, beside folders named 'scenarios'",
        "linelist",
        [],
    )


def is_scenario(path: Path, parent: pytest.Collector) -> bool:
    """Whether a TOML file is one of ours: by its folder, by the ini option, or by being named."""
    from harness.cli.files import OTHER_TOOLS

    if path.name in OTHER_TOOLS:
        return False
    if _FOLDER in _inside(path, parent.config.rootpath) or parent.session.isinitpath(path):
        return True
    entries = parent.config.getini("harness_paths")
    return any(_matches(path, parent.config, entry) for entry in entries)


def _inside(path: Path, root: Path) -> tuple[str, ...]:
    """The folders between the root of the session and the file, or all of them."""
    folder = path.parent
    return folder.relative_to(root).parts if folder.is_relative_to(root) else folder.parts


def _matches(path: Path, config: pytest.Config, entry: str) -> bool:
    places = _places(config.rootpath, entry)
    return any(place in places for place in (path, *path.parents))


@cache
def _places(root: Path, entry: str) -> frozenset[Path]:
    """The folders and files that an entry of the ini option stands for; most hold no pattern."""
    if not any(sign in entry for sign in "*?["):
        return frozenset({root / entry})
    return frozenset(root.glob(entry))
