"""LAMB against values worked out by hand."""

import numpy as np
import pytest

from harness.errors import ShapeError
from harness.oracles.lamb import LambState, lamb_start, lamb_step

W = np.array([[3.0, 0.0], [0.0, 4.0]])


def test_step_is_as_long_as_the_weights_times_the_rate() -> None:
    """|w| = 5, and the first direction is the sign of the gradient, |r| = 2."""
    gradient = np.array([[1.0, -2.0], [3.0, -4.0]])
    after, state = lamb_step(W, gradient, lamb_start(W), learning_rate=0.5, epsilon=0.0)
    np.testing.assert_allclose(after, W - 0.5 * 2.5 * np.sign(gradient), rtol=1e-12)
    assert state.step == 1


def test_ratio_is_one_where_a_norm_is_zero() -> None:
    """Weights of zero move all the same; without gradients nothing does."""
    zeros = np.zeros((2, 2))
    after, _ = lamb_step(zeros, np.ones((2, 2)), lamb_start(W), learning_rate=0.5, epsilon=0.0)
    np.testing.assert_allclose(after, zeros - 0.5, rtol=1e-12)
    after, _ = lamb_step(W, zeros, lamb_start(W), learning_rate=0.5)
    np.testing.assert_array_equal(after, W)


def test_rounding_of_the_betas_is_optional() -> None:
    """Only the bias correction of the second step knows the rounded ones."""
    state = LambState(1, W, W**2)
    exact, rounded = (
        lamb_step(W, W, state, learning_rate=0.5, float32_constants=flag)[0]
        for flag in (False, True)
    )
    np.testing.assert_allclose(exact, rounded, rtol=1e-6)
    assert not np.array_equal(exact, rounded)


def test_shapes_are_checked() -> None:
    """A moment of another variable is refused."""
    with pytest.raises(ShapeError, match=r"^momentum must have shape \(2, 2\), got \(3,\)\."):
        lamb_step(W, W, LambState(0, np.zeros(3), W), learning_rate=0.1)
