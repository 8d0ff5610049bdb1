"""Adamax against values worked out by hand."""

import numpy as np
import pytest

from harness.errors import ShapeError
from harness.oracles.adamax import AdamaxState, adamax_start, adamax_step

W = np.array([1.0, -1.0])


def test_first_step_is_the_sign_of_the_gradient() -> None:
    """Without epsilon the corrected moment over the norm is g / |g|."""
    after, state = adamax_step(
        W, np.array([3.0, -0.5]), adamax_start(W), learning_rate=0.25, epsilon=0.0
    )
    np.testing.assert_allclose(after, [0.75, -0.75], rtol=1e-14)
    np.testing.assert_allclose(state.norm, [3.0, 0.5])


def test_norm_decays_before_it_is_compared() -> None:
    """From u = 4, beta_2 0.5, a gradient of 1 leaves 2, one of 3 takes over."""
    state = AdamaxState(1, np.array([1.0, 1.0]), np.array([4.0, 4.0]))
    gradient = np.array([1.0, 3.0])
    after, state = adamax_step(
        W, gradient, state, learning_rate=1.0, beta_1=0.5, beta_2=0.5, epsilon=2.0
    )
    np.testing.assert_allclose(state.norm, [2.0, 3.0])
    np.testing.assert_allclose(after, [1.0 - 1 / (0.75 * 4), -1.0 - 2 / (0.75 * 5)], rtol=1e-15)


def test_shapes_are_checked() -> None:
    """A norm of another variable is refused."""
    with pytest.raises(ShapeError, match=r"^norm must have shape \(2,\), got \(3,\)\."):
        adamax_step(W, W, AdamaxState(0, W, np.zeros(3)), learning_rate=0.1)
