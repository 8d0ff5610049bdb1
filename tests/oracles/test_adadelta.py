"""Adadelta against values worked out by hand."""

import math

import numpy as np
import pytest

from harness.errors import ShapeError
from harness.oracles.adadelta import AdadeltaState, adadelta_start, adadelta_step

W = np.array([1.0, -1.0])


def test_first_step_has_the_size_of_epsilon() -> None:
    """Gradient 2, rho 0.75, epsilon 1: E[g^2] = 1, so d = -2 / sqrt(2) and E[d^2] = 0.5."""
    after, state = adadelta_step(
        W, np.array([2.0, 0.0]), adadelta_start(W), learning_rate=0.5, rho=0.75, epsilon=1.0
    )
    np.testing.assert_allclose(state.accumulated_grad, [1.0, 0.0], rtol=1e-15)
    np.testing.assert_allclose(state.accumulated_delta_var, [0.5, 0.0], rtol=1e-15)
    np.testing.assert_allclose(after, [1.0 - 1 / math.sqrt(2.0), -1.0], rtol=1e-15)


def test_learning_rate_stays_out_of_the_averages() -> None:
    """Whatever the rate, the averages are the same."""
    states = [adadelta_step(W, W, adadelta_start(W), learning_rate=rate)[1] for rate in (0.1, 10.0)]
    np.testing.assert_array_equal(states[0], states[1])


def test_shapes_are_checked() -> None:
    """An average of another variable is refused."""
    state = AdadeltaState(np.zeros(2), np.zeros(3))
    with pytest.raises(ShapeError, match=r"^accumulated_delta_var must have shape \(2,\)"):
        adadelta_step(W, W, state, learning_rate=0.1)
