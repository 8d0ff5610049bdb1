"""What tests of environments share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.comparison.cache import Cache
from tests.comparison.wheels import only_from

if TYPE_CHECKING:
    from pathlib import Path


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
