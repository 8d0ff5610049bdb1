"""Gradient descent against values worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ShapeError
from harness.oracles.arrays import as_float32
from harness.oracles.sgd import SgdState, sgd_start, sgd_step

W = np.array([1.0, 2.0])
G = np.array([0.5, -1.0])


def test_plain_step_is_minus_learning_rate_times_gradient() -> None:
    """Without momentum: 1 - 0.1 * 0.5 and 2 + 0.1 * 1."""
    after, _ = sgd_step(W, G, sgd_start(W), learning_rate=0.1)
    np.testing.assert_allclose(after, [0.95, 2.1], rtol=1e-15)


def test_momentum_repeats_part_of_the_last_step() -> None:
    """Two steps of momentum 0.5: v1 = -0.05, v2 = -0.025 - 0.05 = -0.075, w = 1 - 0.125."""
    state = sgd_start(W)
    after, state = sgd_step(W, G, state, learning_rate=0.1, momentum=0.5)
    after, state = sgd_step(after, G, state, learning_rate=0.1, momentum=0.5)
    np.testing.assert_allclose(state.momentum, [-0.075, 0.15], rtol=1e-15)
    np.testing.assert_allclose(after, [0.875, 2.25], rtol=1e-15)


def test_nesterov_looks_ahead() -> None:
    """First step: v = -0.05, w = 1 + 0.5 * (-0.05) - 0.05 = 0.925."""
    after, state = sgd_step(W, G, sgd_start(W), learning_rate=0.1, momentum=0.5, nesterov=True)
    np.testing.assert_allclose(state.momentum, [-0.05, 0.1], rtol=1e-15)
    np.testing.assert_allclose(after, [0.925, 2.15], rtol=1e-15)


def test_nesterov_without_momentum_changes_nothing() -> None:
    """Looking ahead by a velocity of share 0 is the plain step."""
    plain, _ = sgd_step(W, G, sgd_start(W), learning_rate=0.1)
    ahead, _ = sgd_step(W, G, sgd_start(W), learning_rate=0.1, nesterov=True)
    np.testing.assert_array_equal(plain, ahead)


def test_float32_constants_round_the_momentum() -> None:
    """The velocity is multiplied by the float32 nearest to 0.9."""
    start = SgdState(np.ones(2))
    _, state = sgd_step(W, 0 * G, start, learning_rate=1.0, momentum=0.9, float32_constants=True)
    assert state.momentum.tolist() == [as_float32(0.9)] * 2


@given(st.floats(0.0, 0.95), st.integers(1, 30))
def test_velocity_of_a_constant_gradient_is_a_geometric_sum(momentum: float, steps: int) -> None:
    """After n steps the velocity is ``-rate * g * (1 - m**n) / (1 - m)``."""
    after, state = W, sgd_start(W)
    for _ in range(steps):
        after, state = sgd_step(after, G, state, learning_rate=0.1, momentum=momentum)
    expected = -0.1 * G * (1.0 - momentum**steps) / (1.0 - momentum)
    np.testing.assert_allclose(state.momentum, expected, rtol=1e-12)


def test_shapes_are_checked() -> None:
    """A velocity of another variable is refused."""
    with pytest.raises(ShapeError, match=r"^momentum must have shape \(2,\), got \(3,\)\."):
        sgd_step(W, G, SgdState(np.zeros(3)), learning_rate=0.1)
