"""RMSprop against values worked out by hand."""

import math

import numpy as np
import pytest

from harness.errors import ShapeError
from harness.oracles.rmsprop import RmspropState, rmsprop_start, rmsprop_step

W = np.array([10.0])
G = np.array([2.0])


def test_plain_step_divides_by_the_root_mean_square() -> None:
    """With rho 3/4, g = 2 and epsilon 0.44: v = 1, so the step is rate * 2 / sqrt(1.44)."""
    after, state = rmsprop_step(W, G, rmsprop_start(W), learning_rate=0.6, rho=0.75, epsilon=0.44)
    np.testing.assert_allclose(state.velocity, [1.0], rtol=1e-15)
    np.testing.assert_allclose(after, [10.0 - 0.6 * 2 / 1.2], rtol=1e-15)


def test_documented_example() -> None:
    """Keras' docstring: learning rate 0.1, variable 10, gradient 10 gives 9.683772."""
    after, _ = rmsprop_step(W, W, rmsprop_start(W), learning_rate=0.1)
    np.testing.assert_allclose(after, [9.683772], atol=5e-7)


def test_epsilon_may_stand_outside_the_root() -> None:
    """The second reading divides by sqrt(v) + epsilon = 1 + 0.5."""
    after, _ = rmsprop_step(
        W,
        G,
        rmsprop_start(W),
        learning_rate=0.6,
        rho=0.75,
        epsilon=0.5,
        epsilon_in_root=False,
    )
    np.testing.assert_allclose(after, [10.0 - 0.6 * 2 / 1.5], rtol=1e-15)


def test_momentum_adds_up_steps() -> None:
    """A second step with a zero gradient repeats half of the first: 1.5 steps in all."""
    after, state = rmsprop_step(
        W, G, rmsprop_start(W), learning_rate=1.0, rho=0.75, momentum=0.5, epsilon=0.0
    )
    np.testing.assert_allclose(after, [8.0], rtol=1e-15)
    after, state = rmsprop_step(
        after, 0 * G, state, learning_rate=1.0, rho=0.75, momentum=0.5, epsilon=0.0
    )
    np.testing.assert_allclose(state.momentum, [1.0], rtol=1e-15)
    np.testing.assert_allclose(after, [7.0], rtol=1e-15)


def test_centered_divides_by_the_standard_deviation() -> None:
    """Rho 3/4, g = 2: v = 1, mean = 0.5, so the root is sqrt(0.75)."""
    after, state = rmsprop_step(
        W, G, rmsprop_start(W), learning_rate=1.0, rho=0.75, epsilon=0.0, centered=True
    )
    np.testing.assert_allclose(state.average_gradient, [0.5], rtol=1e-15)
    np.testing.assert_allclose(after, [10.0 - 2.0 / math.sqrt(0.75)], rtol=1e-15)


def test_shapes_are_checked() -> None:
    """A slot of another variable is refused."""
    state = RmspropState(np.zeros(1), np.zeros(2), np.zeros(1))
    with pytest.raises(ShapeError, match=r"^momentum must have shape \(1,\), got \(2,\)\."):
        rmsprop_step(W, G, state, learning_rate=0.1)
