"""Which releases of a package there are, as the index that pip is set up with tells."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from packaging.version import InvalidVersion, Version

from harness.comparison.commands import run_tool
from harness.errors import HarnessUsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from packaging.requirements import Requirement

__all__ = ["final_releases", "list_releases", "newest_release", "releases_between"]

_LISTED: Final = re.compile(r"^Available versions:\s*(.+)$", re.MULTILINE)
_BY_HAND: Final = "Give them by hand with --releases."


def list_releases(package: str, python: Path) -> tuple[str, ...]:
    """Every release that can be installed for an interpreter, the oldest first.

    Raises:
        EnvironmentBroken: pip is not there, or knows no such package.
        HarnessUsageError: pip says something that is no list.
    """
    pip = ["-m", "pip", "--disable-pip-version-check", "--no-input", "index", "versions"]
    said = run_tool([python, *pip, package], f"list the releases of {package}")
    match = _LISTED.search(said)
    if match is None:
        message = f"pip must list the releases of {package}, got {said.strip()!r}. {_BY_HAND}"
        raise HarnessUsageError(message)
    return final_releases(match[1].split(","))


def final_releases(texts: Iterable[str]) -> tuple[str, ...]:
    """The releases among some texts, the oldest first, without previews and what is no version."""
    found = {}
    for text in texts:
        try:
            version = Version(text.strip())
        except InvalidVersion:
            continue
        if not version.is_prerelease:
            found[version] = text.strip()
    return tuple(found[version] for version in sorted(found))


def newest_release(requirement: Requirement, python: Path) -> str:
    """The newest release that meets a requirement.

    Raises:
        HarnessUsageError: There is none.
    """
    releases = list_releases(requirement.name, python)
    fitting = [release for release in releases if requirement.specifier.contains(release)]
    if not fitting:
        message = (
            f"{requirement} must be met by a release, got {len(releases)} releases, none of which "
            f"does. The newest is {releases[-1] if releases else 'missing'}."
        )
        raise HarnessUsageError(message)
    return fitting[-1]


def releases_between(releases: Sequence[str], good: str, bad: str) -> tuple[str, ...]:
    """The releases from one to the other, both included, in order of version.

    Args:
        releases: What there is.
        good: One end; it may be the newer one.
        bad: The other end.

    Raises:
        HarnessUsageError: An end is no version, both are the same, or one is no release.
    """
    try:
        ends = sorted((Version(good), Version(bad)))
    except InvalidVersion as error:
        message = f"--good and --bad must be versions, got {good!r} and {bad!r}."
        raise HarnessUsageError(message) from error
    known = {Version(release): release for release in releases}
    for end in ends:
        if end not in known:
            near = [known[version] for version in sorted(known) if version < end][-1:]
            near += [known[version] for version in sorted(known) if version > end][:1]
            message = f"--good and --bad must be releases, got {end}. Nearest: {', '.join(near)}."
            raise HarnessUsageError(message)
    if ends[0] == ends[1]:
        message = f"--good and --bad must differ, got {good} twice."
        raise HarnessUsageError(message)
    return tuple(known[version] for version in sorted(known) if ends[0] <= version <= ends[1])
