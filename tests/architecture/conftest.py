"""What tests of the repository as a whole share."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import harness

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def repository() -> Path:
    """Folder of the checkout that these tests lie in."""
    return Path(__file__).parents[2]


@pytest.fixture(scope="session")
def package() -> Path:
    """Folder of the package under test: the installed one where there is one."""
    return Path(harness.__file__).parent


@pytest.fixture
def fresh_python(package: Path, tmp_path: Path) -> Run:
    """Runs a fresh interpreter that sees the package under test, in an empty folder."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("COV", "PYTEST"))
        }
        return subprocess.run(
            [sys.executable, *arguments],
            capture_output=True,
            check=False,
            cwd=tmp_path,
            env={**inherited, "PYTHONPATH": str(package.parent), **environment},
            text=True,
            timeout=120,
        )

    return run
