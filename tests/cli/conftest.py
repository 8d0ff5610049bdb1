"""Made-up trainings for the command line."""

from pathlib import Path

import pytest

from tests.runner.synthetic import VERSIONS, MadeUpTraining, install


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MadeUpTraining:
    """Made-up trainings in the place of real ones, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("harness.cli.run.installed_versions", lambda: VERSIONS)
    return install(monkeypatch)
