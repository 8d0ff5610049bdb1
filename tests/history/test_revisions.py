"""Which commit is measured."""

import subprocess
from pathlib import Path

import pytest

from harness.history.measurement import Revision
from harness.history.revisions import revision_of


@pytest.fixture(autouse=True)
def own_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git without anybody's settings, and no build server."""
    for name in ("GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME", "BRANCH_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("CIRCLE_BRANCH", raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "me")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "me@example.org")
        monkeypatch.setenv(f"GIT_{role}_DATE", "2026-01-02T03:04:05+01:00")


def git(folder: Path, *arguments: str) -> str:
    """What git says."""
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit."""
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "file").write_text("1")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-q", "-m", "one")
    return tmp_path


def test_a_commit_is_known_by_hash_time_and_branch(repository: Path) -> None:
    """Files that git does not track change nothing."""
    (repository / "other").write_text("2")

    found = revision_of(repository)

    assert found.id == git(repository, "rev-parse", "HEAD")
    assert found.committed is not None
    assert found.committed.isoformat() == "2026-01-02T02:04:05+00:00"
    assert (found.branch, found.dirty) == ("main", False)


def test_uncommitted_changes_are_seen(repository: Path) -> None:
    """Of files that git tracks."""
    (repository / "file").write_text("2")

    assert revision_of(repository).dirty


def test_a_build_server_tells_the_branch(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It checks out a commit and no branch."""
    git(repository, "checkout", "-q", "--detach")
    assert revision_of(repository).branch == ""

    monkeypatch.setenv("GITHUB_REF_NAME", "feature")
    assert revision_of(repository).branch == "feature"


def test_there_may_be_no_repository_no_commit_and_no_git(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then nothing is known, and nothing is wrong."""
    assert revision_of(tmp_path) == Revision()
    git(tmp_path, "init", "-q")
    assert revision_of(tmp_path) == Revision()
    monkeypatch.setenv("PATH", "/nowhere")
    assert revision_of(tmp_path) == Revision()
