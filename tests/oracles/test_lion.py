"""Lion against values worked out by hand."""

import numpy as np
import pytest

from harness.errors import ShapeError
from harness.oracles.lion import LionState, lion_start, lion_step

W = np.array([1.0, -1.0, 0.0])


def test_every_step_has_the_size_of_the_rate() -> None:
    """Whatever the gradient; without one nothing moves."""
    gradient = np.array([1e-9, -1e9, 0.0])
    after, state = lion_step(W, gradient, lion_start(W), learning_rate=0.25, beta_2=0.5)
    np.testing.assert_array_equal(after, [0.75, -0.75, 0.0])
    np.testing.assert_array_equal(state.momentum, gradient / 2)


def test_sign_is_taken_before_the_momentum_is_updated() -> None:
    """Momentum 1, g -1: beta_1 0.75 goes with the momentum, beta_1 0.25 with the gradient."""
    state = LionState(np.ones(3))
    for beta_1, sign in ((0.75, 1.0), (0.25, -1.0)):
        after, new = lion_step(W, -np.ones(3), state, learning_rate=0.5, beta_1=beta_1, beta_2=0.25)
        np.testing.assert_array_equal(after, W - 0.5 * sign)
        np.testing.assert_array_equal(new.momentum, [-0.5] * 3)


def test_shapes_are_checked() -> None:
    """A momentum of another variable is refused."""
    with pytest.raises(ShapeError, match=r"^momentum must have shape \(3,\), got \(2,\)\."):
        lion_step(W, W, LionState(np.zeros(2)), learning_rate=0.1)
