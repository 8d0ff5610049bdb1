"""Accumulation windows, moving averages and weight decay."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ShapeError
from harness.oracles.arrays import ArgumentError, as_float32
from harness.oracles.averaging import (
    accumulated,
    average_of,
    averaged_weights,
    decayed_weights,
    is_update_step,
    mean_gradient,
    overwrites_weights,
)


def test_window_gives_the_mean_gradient() -> None:
    """The gradients 1, 2 and 6 of three micro-batches make one gradient of 3."""
    total = np.zeros(1)
    for gradient in (1.0, 2.0, 6.0):
        total = accumulated(total, np.array([gradient]))
    np.testing.assert_array_equal(mean_gradient(total, 3), [3.0])


def test_accumulators_check_shape_and_window() -> None:
    """A foreign gradient and an empty window are refused."""
    with pytest.raises(ShapeError, match=r"^gradient must have shape \(1,\), got \(2,\)\."):
        accumulated(np.zeros(1), np.zeros(2))
    with pytest.raises(ArgumentError, match=r"^steps must be greater than 0, got 0\.$"):
        mean_gradient(np.zeros(1), 0)


def test_last_step_of_a_window_updates() -> None:
    """With windows of 3 the counter values 2, 5, 8 update; without a window all do."""
    assert [t for t in range(9) if is_update_step(t, 3)] == [2, 5, 8]
    assert all(is_update_step(t, None) for t in range(5))


def test_decay_is_relative_to_the_learning_rate() -> None:
    """2 - 2 * 0.25 * 0.5 = 1.75; on request the decay is rounded to float32."""
    assert decayed_weights(np.array([2.0]), learning_rate=0.5, weight_decay=0.25)[0] == 1.75
    rounded = decayed_weights(
        np.array([1.0]), learning_rate=1.0, weight_decay=0.1, float32_constants=True
    )
    assert rounded[0] == 1.0 - as_float32(0.1)


def test_first_average_is_a_copy() -> None:
    """The first update copies the weights whatever was there; the second mixes."""
    first = averaged_weights(np.array([9.0]), np.array([2.0]), ema_momentum=0.75, updates=1)
    assert first.tolist() == [2.0]
    second = averaged_weights(first, np.array([6.0]), ema_momentum=0.75, updates=2)
    assert second.tolist() == [3.0]


def test_average_checks_its_arguments() -> None:
    """A momentum above 1, an average before any update and a foreign average are refused."""
    one = np.ones(1)
    with pytest.raises(ArgumentError, match=r"^ema_momentum must lie in \[0, 1\], got 1\.5\.$"):
        averaged_weights(one, one, ema_momentum=1.5, updates=1)
    with pytest.raises(ArgumentError, match=r"^updates must be greater than 0, got 0\.$"):
        averaged_weights(one, one, ema_momentum=0.5, updates=0)
    with pytest.raises(ShapeError, match=r"^average must have shape \(1,\), got \(2,\)\."):
        averaged_weights(np.ones(2), one, ema_momentum=0.5, updates=2)


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=20), st.floats(0.0, 1.0))
def test_recursion_equals_the_closed_form(trajectory: list[float], momentum: float) -> None:
    """Averaging step by step comes to the closed form over the whole trajectory."""
    weights = [np.array([value]) for value in trajectory]
    average = np.zeros(1)
    for update, weight in enumerate(weights, start=1):
        average = averaged_weights(average, weight, ema_momentum=momentum, updates=update)
    np.testing.assert_allclose(average_of(weights, ema_momentum=momentum), average, atol=1e-12)


def test_closed_form_needs_a_trajectory() -> None:
    """There is no average of nothing."""
    with pytest.raises(ArgumentError, match=r"^updates must be greater than 0, got 0\.$"):
        average_of([], ema_momentum=0.5)


def test_overwrite_happens_every_so_many_updates() -> None:
    """Every third update overwrites; without a frequency none does."""
    assert [u for u in range(1, 10) if overwrites_weights(u, 3)] == [3, 6, 9]
    assert not any(overwrites_weights(u, None) for u in range(1, 10))
