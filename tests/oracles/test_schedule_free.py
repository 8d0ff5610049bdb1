"""Schedule-free AdamW against values worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ShapeError
from harness.oracles.schedule_free import (
    ScheduleFreeState,
    schedule_free_start,
    schedule_free_step,
)

W = np.array([1.0, -1.0])


def test_first_step_is_that_of_the_fast_weights() -> None:
    """The average of one is it, so y = x = z, one rate away along the sign of the gradient."""
    after, state = schedule_free_step(
        W, np.array([2.0, -3.0]), schedule_free_start(W), learning_rate=0.25, epsilon=0.0
    )
    np.testing.assert_allclose(after, [0.75, -0.75], rtol=1e-14)
    np.testing.assert_allclose(state.momentum, after, rtol=1e-14)


@given(st.lists(st.floats(-4, 4), min_size=1, max_size=8), st.sampled_from([0.25, 0.5, 1.0]))
def test_weights_lie_between_the_fast_ones_and_their_plain_mean(
    gradients: list[float], beta_1: float
) -> None:
    """The weights are ``(1 - beta_1) * z + beta_1 * mean(z_1 ... z_t)``."""
    weights, state = W, schedule_free_start(W)
    fast = []
    for gradient in gradients:
        weights, state = schedule_free_step(
            weights, np.full(2, gradient), state, learning_rate=0.5, beta_1=beta_1, beta_2=0.5
        )
        fast.append(state.momentum)
    expected = (1 - beta_1) * fast[-1] + beta_1 * np.mean(fast, axis=0)
    np.testing.assert_allclose(weights, expected, rtol=1e-9, atol=1e-9)


def test_warm_up() -> None:
    """A quarter of the rate at the first of four steps, all of it from the fourth on."""
    for step, share in ((0, 0.25), (3, 1.0), (9, 1.0)):
        state = ScheduleFreeState(step, W, np.zeros(2))
        _, after = schedule_free_step(
            W, np.ones(2), state, learning_rate=1.0, beta_2=0.0, epsilon=0.0, warmup_steps=4
        )
        np.testing.assert_allclose(after.momentum, W - share)


def test_shapes_are_checked() -> None:
    """Fast weights of another variable are refused."""
    with pytest.raises(ShapeError, match=r"^momentum must have shape \(2,\), got \(3,\)\."):
        schedule_free_step(W, W, ScheduleFreeState(0, np.zeros(3), W), learning_rate=0.1)
