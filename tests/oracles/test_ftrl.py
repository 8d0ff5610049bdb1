"""FTRL against values worked out by hand, and against what it is without penalties."""

import numpy as np
import pytest

from harness.errors import ShapeError
from harness.oracles.adagrad import AdagradState, adagrad_step
from harness.oracles.arrays import as_float32
from harness.oracles.ftrl import FtrlState, ftrl_start, ftrl_step

W = np.array([0.0, 0.0])


def test_without_penalties_it_is_adagrad() -> None:
    """From weights of zero both take the same steps, but for the very first accumulator."""
    ftrl, adagrad = FtrlState(np.full(2, 0.25), np.zeros(2)), AdagradState(np.full(2, 0.25))
    left, right = W, W
    for gradient in (np.array([1.0, -2.0]), np.array([0.5, 3.0]), np.array([-1.0, 0.0])):
        left, ftrl = ftrl_step(left, gradient, ftrl, learning_rate=0.5)
        right, adagrad = adagrad_step(right, gradient, adagrad, learning_rate=0.5, epsilon=0.0)
        np.testing.assert_allclose(left, right, rtol=1e-14, atol=1e-15)


def test_penalties() -> None:
    """With n = 4, z = g = 2: w = (0.5 - 2) / ((1 + 2) / 0.5 + 2 * 0.25); z within 3 gives zero."""
    start = FtrlState(np.zeros(2), np.zeros(2))
    arguments = {"learning_rate": 0.5, "l2_regularization_strength": 0.25, "beta": 1.0}
    gradient = np.array([2.0, -2.0])
    after, state = ftrl_step(W, gradient, start, l1_regularization_strength=0.5, **arguments)
    np.testing.assert_allclose(after, [-1.5 / 6.5, 1.5 / 6.5], rtol=1e-15)
    np.testing.assert_array_equal(state, [[4.0, 4.0], [2.0, -2.0]])
    after, _ = ftrl_step(W, gradient, start, l1_regularization_strength=3.0, **arguments)
    np.testing.assert_array_equal(after, [0.0, 0.0])


def test_shrinkage_enters_the_linear_term_only() -> None:
    """From w = 1, s = 0.25, z has 0.5 more, n has not."""
    start, weights = FtrlState(np.ones(2), np.zeros(2)), np.ones(2)
    zero = np.zeros(2)
    _, state = ftrl_step(
        weights, zero, start, learning_rate=0.5, l2_shrinkage_regularization_strength=0.25
    )
    np.testing.assert_array_equal(state, [[1.0, 1.0], [0.5, 0.5]])


def test_start_value_is_rounded_on_request() -> None:
    """Keras fills the accumulator with the float32 nearest to 0.1."""
    assert ftrl_start(W).accumulator.tolist() == [0.1, 0.1]
    assert ftrl_start(W, float32_constants=True).accumulator.tolist() == [as_float32(0.1)] * 2


def test_shapes_are_checked() -> None:
    """A linear term of another variable is refused."""
    with pytest.raises(ShapeError, match=r"^linear must have shape \(2,\), got \(3,\)\."):
        ftrl_step(W, W, FtrlState(W, np.zeros(3)), learning_rate=0.1)
