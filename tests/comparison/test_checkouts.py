"""Revisions are written out in full, and the repository stays as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.comparison.checkouts import (
    check_out,
    commit_of,
    is_ancestor,
    repository_of,
    revisions_between,
    subject_of,
)
from harness.errors import HarnessUsageError
from tests.comparison.repositories import commits, git

if TYPE_CHECKING:
    from pathlib import Path

    from harness.comparison.cache import Cache


def test_a_revision_is_written_out(tmp_path: Path, cache: Cache) -> None:
    """Also what archives leave out; what is not committed stays where it is."""
    repository = tmp_path / "repository"
    repository.mkdir()
    (repository / ".gitattributes").write_text("model.py export-ignore\n")
    first, _ = commits(repository, "X = 1\n", "X = 2\n")
    (repository / "model.py").write_text("X = 3\n")

    folder = check_out(cache, repository, first)

    assert (folder / "model.py").read_text() == "X = 1\n"
    assert {path.name for path in folder.iterdir()} == {".gitattributes", "model.py"}
    assert git(repository, "status", "--short") == "M model.py"
    assert check_out(cache, repository, first) == folder


def test_the_line_between_two_revisions(tmp_path: Path) -> None:
    """First parents only: what a branch brought comes with its merge."""
    repository = tmp_path / "repository"
    one, two = commits(repository, "1", "2")
    git(repository, "switch", "-q", "-c", "side", one)
    (repository / "other").write_text("")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "Aside")
    git(repository, "switch", "-q", "main")
    git(repository, "merge", "-q", "--no-edit", "side")
    merge = commit_of(repository, "HEAD")

    assert revisions_between(repository, one, merge) == (two, merge)
    assert is_ancestor(repository, one, merge)
    assert not is_ancestor(repository, merge, one)
    assert subject_of(repository, two).endswith(" 2025-01-02 Say 2")
    side = commit_of(repository, "side")
    with pytest.raises(HarnessUsageError, match="one revision must come before the other"):
        is_ancestor(repository, side, two)


def test_what_is_no_revision(tmp_path: Path) -> None:
    """Nor a repository."""
    repository = tmp_path / "repository"
    commits(repository, "1")

    assert repository_of(repository) == repository
    with pytest.raises(HarnessUsageError, match="got 'v9'"):
        commit_of(repository, "v9")
    with pytest.raises(HarnessUsageError, match="Name the repository with --repository"):
        repository_of(tmp_path)
