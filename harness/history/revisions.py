"""Which state of the code is being measured, as git or a build server tells."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from harness.history.measurement import Revision

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["revision_of"]

_SECONDS: Final = 20
_BRANCH_VARIABLES: Final = (
    "GITHUB_HEAD_REF",
    "GITHUB_REF_NAME",
    "CI_COMMIT_REF_NAME",
    "CIRCLE_BRANCH",
    "BRANCH_NAME",
)
"""Build servers check out a commit without its branch, and tell the branch here."""


def revision_of(folder: Path) -> Revision:
    """The commit that is checked out at a folder; one without id where git knows nothing."""
    said = _git(folder, "log", "-1", "--format=%H %ct")
    if said is None:
        return Revision()
    commit, seconds = said.split()
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return Revision(
        id=commit,
        committed=datetime.fromtimestamp(int(seconds), UTC),
        branch=_branch(folder),
        dirty=bool(changed),
    )


def _branch(folder: Path) -> str:
    branch = _git(folder, "symbolic-ref", "--quiet", "--short", "HEAD")
    if branch:
        return branch
    return next((os.environ[name] for name in _BRANCH_VARIABLES if os.environ.get(name)), "")


def _git(folder: Path, *arguments: str) -> str | None:
    """What git says; None where there is no git, no repository or nothing to say."""
    # Looking must not change anything: `status` would write the index otherwise.
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    try:
        result = subprocess.run(  # noqa: S603 - git, with constant words and a folder
            command, capture_output=True, text=True, check=True, timeout=_SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip()
