"""Figures that are worked out from what was measured."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from harness.benchmark.machine import Peaks
from harness.benchmark.measurement import Measurement

MEASURED = Measurement(
    round_seconds=(0.2, 0.4, 0.6),
    steps=4,
    examples=32,
    call_seconds=(0.1, 0.2, 0.3),
    steps_per_call=2,
    build_seconds=0.5,
    compile_seconds=1.5,
    start_rss_bytes=100,
    peak_rss_bytes=150,
    peak_device_bytes=None,
    flops_per_step=1e6,
    state_bytes=1000,
    compute_dtype="float32",
    loss=0.5,
)


def test_speeds_are_those_of_the_median_round() -> None:
    """A step is its share of a round; examples are those of a whole round."""
    assert list(MEASURED.step_samples) == pytest.approx([0.05, 0.1, 0.15])
    assert MEASURED.step_seconds == 0.1
    assert MEASURED.examples_per_second == pytest.approx(80.0)
    assert MEASURED.flops_per_second == pytest.approx(1e7)


def test_the_slowest_steps_are_read_off_single_calls() -> None:
    """A call may hold several steps; without single calls nothing is said about them."""
    assert MEASURED.p95_step_seconds == pytest.approx(0.29 / 2)
    assert replace(MEASURED, call_seconds=()).p95_step_seconds is None


def test_the_roofline_is_the_nearer_of_both_roofs() -> None:
    """A model with few operations and much state is held up by memory."""
    fast_memory = Peaks(dtype="float32", flops_per_second=1e8, bytes_per_second=1e12)
    slow_memory = Peaks(dtype="float32", flops_per_second=1e8, bytes_per_second=4e4)

    assert MEASURED.peak_share(fast_memory) == pytest.approx(0.1)
    assert MEASURED.roofline_share(fast_memory) == pytest.approx(0.1)
    assert MEASURED.roofline_share(slow_memory) == pytest.approx(0.5)


def test_operations_that_nobody_can_count_have_no_share() -> None:
    """An unknown layer gives no number, not a wrong one."""
    unknown = replace(MEASURED, flops_per_step=None)
    peaks = Peaks(dtype="float32", flops_per_second=1e8, bytes_per_second=1e12)

    assert unknown.flops_per_second is None
    assert unknown.peak_share(peaks) is None
    assert unknown.roofline_share(peaks) is None
    assert math.isfinite(unknown.step_seconds)
