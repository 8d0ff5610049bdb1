"""Small git repositories."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_WHO = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "A"), ("EMAIL", "a@b"), ("DATE", "2025-01-02T03:04:05+00:00"))
}


def git(repository: Path, *arguments: str) -> str:
    """Run git, untouched by the settings of whoever runs the tests."""
    env = {**os.environ, **_WHO, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(
        ["git", "-C", repository, *arguments], env=env, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def commits(repository: Path, *contents: str) -> list[str]:
    """Commit a module with each of these contents; returns the names of the commits."""
    repository.mkdir(exist_ok=True)
    if not (repository / ".git").exists():
        git(repository, "init", "-q", "-b", "main")
    found = []
    for content in contents:
        (repository / "model.py").write_text(content, encoding="utf-8")
        git(repository, "add", "-A")
        git(repository, "commit", "-q", "--allow-empty", "-m", f"Say {content.strip()}")
        found.append(git(repository, "rev-parse", "HEAD"))
    return found
