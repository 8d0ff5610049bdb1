"""The loss scale automaton, step by step."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.oracles.arrays import ArgumentError
from harness.oracles.loss_scaling import (
    LARGEST_SCALE,
    SMALLEST_SCALE,
    DynamicLossScale,
    LossScaleState,
    all_finite,
    next_scale,
)


def test_scale_follows_a_written_sequence() -> None:
    """Growth after 2: finite, finite (x2), bad (/2), finite, bad (/2), finite, finite (x2)."""
    state = LossScaleState(8.0)
    seen = []
    for finite in (True, True, False, True, False, True, True):
        state = next_scale(state, finite, growth_steps=2)
        seen.append(tuple(state))
    assert seen == [(8, 1), (16, 0), (8, 0), (8, 1), (4, 0), (4, 1), (8, 0)]


def test_growth_interval_of_one_doubles_every_step() -> None:
    """With an interval of 1 each finite step doubles."""
    assert next_scale(LossScaleState(4.0), finite=True, growth_steps=1) == (8.0, 0)


def test_scale_stays_inside_float32() -> None:
    """Where halving or doubling would leave float32, the scale stays and the count restarts."""
    low = next_scale(LossScaleState(SMALLEST_SCALE, 1), finite=False, growth_steps=3)
    high = next_scale(LossScaleState(LARGEST_SCALE, 2), finite=True, growth_steps=3)
    assert low == (SMALLEST_SCALE, 0)
    assert high == (LARGEST_SCALE, 0)


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 5))
def test_scale_is_a_power_of_two_times_the_start(steps: list[bool], growth: int) -> None:
    """The scale only ever doubles or halves, and the count stays below the interval."""
    state = LossScaleState(2.0**15)
    for finite in steps:
        before, state = state, next_scale(state, finite, growth_steps=growth)
        assert state.scale / before.scale in {0.5, 1.0, 2.0}
        assert 0 <= state.finite_steps < growth
        assert finite or state.scale == before.scale / 2


def test_arguments_are_checked() -> None:
    """Scales and intervals must be positive."""
    with pytest.raises(ArgumentError, match=r"^growth_steps must be greater than 0, got 0\.$"):
        next_scale(LossScaleState(1.0), finite=True, growth_steps=0)
    with pytest.raises(ArgumentError, match=r"^initial_scale must be greater than 0, got 0\.$"):
        DynamicLossScale(initial_scale=0)


def test_all_finite_leaves_out_missing_gradients() -> None:
    """None does not count, one NaN or infinity does."""
    assert all_finite([np.ones(2), None])
    assert not all_finite([np.ones(2), np.array([1.0, np.inf])])
    assert not all_finite([np.array(np.nan)])
