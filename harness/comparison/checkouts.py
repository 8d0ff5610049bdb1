"""A revision of a git repository as a folder of its own; the repository itself is not touched."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from harness.comparison.commands import EnvironmentBroken, run_tool
from harness.errors import HarnessUsageError

if TYPE_CHECKING:
    from harness.comparison.cache import Cache

__all__ = [
    "check_out",
    "commit_of",
    "is_ancestor",
    "repository_of",
    "revisions_between",
    "subject_of",
]


def repository_of(folder: Path) -> Path:
    """The top of the repository that a folder is in.

    Raises:
        HarnessUsageError: It is in none, or git is not there.
    """
    try:
        top = _git(folder, "say where the repository is", "rev-parse", "--show-toplevel")
    except EnvironmentBroken as error:
        message = (
            f"a git revision must be one of a repository, got {folder}, which is in none. "
            "Name the repository with --repository."
        )
        raise HarnessUsageError(message) from error
    return Path(top)


def commit_of(repository: Path, revision: str) -> str:
    """The full name of a commit.

    Raises:
        HarnessUsageError: There is no such revision.
    """
    asked = f"{revision}^{{commit}}"
    try:
        return _git(repository, "find it", "rev-parse", "--verify", "--end-of-options", asked)
    except EnvironmentBroken as error:
        message = f"revision must be one of {repository}, got {revision!r}."
        raise HarnessUsageError(message) from error


def is_ancestor(repository: Path, old: str, new: str) -> bool:
    """Whether one commit comes before another.

    Raises:
        HarnessUsageError: Neither comes before the other.
    """
    base = _git(repository, "compare revisions", "merge-base", old, new)
    if base not in {old, new}:
        message = f"one revision must come before the other, got {old[:12]} and {new[:12]}."
        raise HarnessUsageError(message)
    return base == old


def revisions_between(repository: Path, old: str, new: str) -> tuple[str, ...]:
    """Commits after `old` up to `new`, the oldest first, along first parents."""
    range_ = f"{old}..{new}"
    listed = _git(repository, "list revisions", "rev-list", "--reverse", "--first-parent", range_)
    return tuple(listed.split())


def subject_of(repository: Path, commit: str) -> str:
    """Short name, date and subject of a commit."""
    return _git(repository, "show a commit", "show", "-s", "--format=%h %cs %s", commit)


def check_out(cache: Cache, repository: Path, commit: str) -> Path:
    """The folder that holds this commit; built in the cache if it is missing.

    Everything that is under version control is there, also what archives leave out.

    Raises:
        EnvironmentBroken: git cannot write it.
    """

    def build(part: Path) -> None:
        index = part / ".index"
        env = {**os.environ, "GIT_INDEX_FILE": str(index)}
        what = f"check out {commit[:12]}"
        run_tool(["git", "-C", repository, "read-tree", commit], what, env=env)
        prefix = f"--prefix={part}{os.sep}"
        run_tool(["git", "-C", repository, "checkout-index", "--all", prefix], what, env=env)
        index.unlink()

    return cache.built(f"git-{commit}", build)


def _git(folder: Path, what: str, *arguments: str) -> str:
    return run_tool(["git", "-C", folder, *arguments], what).strip()
