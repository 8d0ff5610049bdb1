"""Adagrad against values worked out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ShapeError
from harness.oracles.adagrad import AdagradState, adagrad_start, adagrad_step
from harness.oracles.arrays import as_float32

W = np.array([1.0, -1.0])


def test_step_divides_by_the_root_of_the_sum() -> None:
    """Start 0.25, g = 1.5, epsilon 2: the root is sqrt(0.25 + 2.25 + 2) = sqrt(4.5)."""
    start = adagrad_start(W, initial_accumulator_value=0.25)
    after, state = adagrad_step(W, np.array([1.5, 0.0]), start, learning_rate=0.3, epsilon=2.0)
    np.testing.assert_allclose(state.accumulator, [2.5, 0.25], rtol=1e-15)
    np.testing.assert_allclose(after, [1.0 - 0.45 / math.sqrt(4.5), -1.0], rtol=1e-15)


def test_start_value_is_rounded_on_request() -> None:
    """Keras fills the accumulator with the float32 nearest to 0.1."""
    assert adagrad_start(W).accumulator.tolist() == [0.1, 0.1]
    rounded = adagrad_start(W, float32_constants=True)
    assert rounded.accumulator.tolist() == [as_float32(0.1)] * 2


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=20))
def test_accumulator_is_the_sum_of_squares(gradients: list[float]) -> None:
    """It never shrinks and depends on the gradients alone."""
    parameter, state = np.zeros(1), adagrad_start(np.zeros(1), initial_accumulator_value=0.5)
    for gradient in gradients:
        parameter, state = adagrad_step(parameter, np.array([gradient]), state, learning_rate=0.1)
    np.testing.assert_allclose(state.accumulator, [0.5 + sum(g * g for g in gradients)])


def test_shapes_are_checked() -> None:
    """An accumulator of another variable is refused."""
    with pytest.raises(ShapeError, match=r"^accumulator must have shape \(2,\), got \(3,\)\."):
        adagrad_step(W, W, AdagradState(np.zeros(3)), learning_rate=0.1)
