"""Command-line options and ini values, and which files are scenarios."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["HarnessOptions", "add_options", "header", "is_scenario"]

_PROFILES = ("quick", "ci", "thorough")
_FOLDER = "scenarios"
_EXPECTATION: Final = re.compile(rb"^\s*\[\[\s*expect\s*\]\]", re.MULTILINE)
_SNIFFED_BYTES: Final = 64 * 1024


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


def header(config: pytest.Config) -> str | None:
    """A line on how scenarios draw, where somebody asked for something."""
    options = HarnessOptions.of(config)
    seed = "" if options.seed is None else f", seed {options.seed}"
    default = options.profile == _PROFILES[0] and config.getoption("harness_profile") is None
    return None if default and not seed else f"harness: profile {options.profile}{seed}"


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
    """Whether a TOML file is one of ours.

    It is when it is named on the command line, when the ini option has it, or when it is in a
    folder named ``scenarios`` at or below the root of the session. Above the root such a folder
    says little, for a whole checkout may lie in one: then the text must look like a scenario.
    """
    from harness.cli.files import OTHER_TOOLS

    if path.name in OTHER_TOOLS or path.name.startswith("."):
        return False
    if parent.session.isinitpath(path):
        return True
    root = parent.config.rootpath
    folders = [folder for folder in path.parents if folder.name == _FOLDER]
    if any(folder == root or folder.is_relative_to(root) for folder in folders):
        return True
    if any(_matches(path, root, entry) for entry in parent.config.getini("harness_paths")):
        return True
    return bool(folders) and _looks_like_scenario(path)


def _looks_like_scenario(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return _EXPECTATION.search(stream.read(_SNIFFED_BYTES)) is not None
    except OSError:
        return False


def _matches(path: Path, root: Path, entry: str) -> bool:
    places = _places(root, entry)
    return any(place in places for place in (path, *path.parents))


@cache
def _places(root: Path, entry: str) -> frozenset[Path]:
    """The folders and files that an entry of the ini option stands for; most hold no pattern."""
    if not any(sign in entry for sign in "*?["):
        return frozenset({root / entry})
    return frozenset(root.glob(entry))
