"""Made-up trainings for the command line."""

from pathlib import Path

import pytest

from tests.runner.synthetic import MadeUpTraining, install


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MadeUpTraining:
    """Made-up trainings in the place of real ones, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return install(monkeypatch)
