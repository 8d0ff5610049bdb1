"""What tests of environments share."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.comparison.cache import Cache
from tests.comparison.wheels import only_from


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """An empty cache."""
    return Cache(tmp_path / "cache")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, the only place that pip looks in."""
    folder = tmp_path / "index"
    folder.mkdir()
    only_from(folder, monkeypatch)
    return folder
