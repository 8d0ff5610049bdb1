"""The collector's thresholds are the user's again once an item is through."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from harness.plugin.garbage import collected_seldom

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _own_thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_thresholds_are_raised_and_put_back() -> None:
    """In between a collection comes less often."""
    gc.set_threshold(700, 10, 10)
    with collected_seldom():
        young, middle, _ = gc.get_threshold()
        assert young > 700
        assert middle > 10
    assert gc.get_threshold() == (700, 10, 10)


def test_they_are_put_back_after_a_failure() -> None:
    """An item that fails leaves nothing behind."""
    gc.set_threshold(701, 11, 12)
    with pytest.raises(ZeroDivisionError), collected_seldom():
        _ = 1 / 0
    assert gc.get_threshold() == (701, 11, 12)


@pytest.mark.parametrize("own", [(0, 10, 10), (1_000_000, 50, 50)])
def test_a_user_who_collects_less_still_does(own: tuple[int, int, int]) -> None:
    """Nothing is lowered, and what is switched off stays so."""
    gc.set_threshold(*own)
    with collected_seldom():
        assert gc.get_threshold() == own
