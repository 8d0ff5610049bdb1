from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.recorders import resources
from harness.recorders.resources import PeakMemory, resident_bytes

if TYPE_CHECKING:
    import pytest


def test_the_peak_covers_memory_that_is_gone_again() -> None:
    """64 MiB that were written and freed still show."""
    memory = PeakMemory()
    start = resident_bytes()
    block = np.ones(64 * 2**20, np.uint8)
    del block
    if memory.method != "epoch samples":
        assert memory.bytes() - start > 48 * 2**20
    assert memory.sample() > 0


def test_without_a_mark_to_reset_the_life_of_the_process_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Elsewhere than on Linux, or where the kernel does not let us."""
    monkeypatch.setattr(resources, "_CLEAR", Path("/nowhere/clear_refs"))
    memory = PeakMemory()
    assert memory.method == "process peak"
    assert memory.bytes() >= resident_bytes() // 2


def test_where_the_kernel_keeps_no_mark_samples_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """The largest value seen at an epoch's end is the peak."""
    monkeypatch.setattr(resources, "_CLEAR", Path("/nowhere/clear_refs"))
    monkeypatch.setattr("sys.platform", "win32")
    memory = PeakMemory()
    assert memory.method == "epoch samples"
    assert memory.bytes() >= memory.sample() // 2
