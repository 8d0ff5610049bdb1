"""Command-line options and ini values, and which files are scenarios."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = ["HarnessOptions", "add_options", "is_scenario"]

_PROFILES = ("quick", "ci", "thorough")
_FOLDER = "scenarios"
_OTHER_TOOLS = {"pyproject.toml", "tox.toml", "pytest.toml", "ruff.toml", "uv.toml", "Cargo.toml"}


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
    parser.addini("harness_profile", "profile when none is given: quick, ci or thorough", "string", "quick")
    parser.addini(
        "harness_paths",
        "folders or glob patterns of scenario files, beside folders named 'scenarios'",
        "linelist",
        [],
    )


def is_scenario(path: Path, parent: pytest.Collector) -> bool:
    """Whether a TOML file is one of ours: by its folder, by the ini option, or by being named."""
    if path.name in _OTHER_TOOLS:
        return False
    if _FOLDER in _inside(path, parent.config.rootpath) or parent.session.isinitpath(path):
        return True
    return any(_matches(path, parent.config, entry) for entry in parent.config.getini("harness_paths"))


def _inside(path: Path, root: Path) -> tuple[str, ...]:
    """The folders between the root of the session and the file, or all of them."""
    folder = path.parent
    return folder.relative_to(root).parts if folder.is_relative_to(root) else folder.parts


def _matches(path: Path, config: pytest.Config, entry: str) -> bool:
    place = config.rootpath / entry
    return path.is_relative_to(place) or path.match(str(place))
