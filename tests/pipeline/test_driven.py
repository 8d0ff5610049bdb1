from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from harness.pipeline.driven import gradient_step, hand_over, successor_of
from harness.spec.training import PrecisionSpec


class Spy:
    """Takes gradients and does nothing with them."""

    def __init__(self) -> None:
        """Nothing was given yet."""
        self.given: list[Any] = []

    def scale_loss(self, loss: Any) -> Any:
        """Leave the loss as it is."""
        return loss

    def apply(self, gradients: list[Any], _variables: list[Any]) -> None:
        """Keep the gradients."""
        self.given = gradients


def given(**options: Any) -> list[Any]:
    """Return the gradients that an optimizer of two variables of 2 and (3, 1) gets."""
    spy = Spy()
    variables = [keras.Variable(np.ones(2)), keras.Variable(np.ones((3, 1)))]
    missing = options.pop("missing", ())
    row = tf.constant([1.0, 0.0, 0.0, 3.0, -4.0])
    step = gradient_step(variables, spy, PrecisionSpec(), **options)
    step({"row": row, "missing": missing})
    return spy.given


def test_missing_gradients_are_none() -> None:
    """The optimizer gets None for them and all others as they are."""
    gradients = given(missing=(0,))

    assert gradients[0] is None
    assert gradients[1].numpy().tolist() == [[0.0], [3.0], [-4.0]]


@pytest.mark.parametrize("repeated", [True, False])
def test_slices_add_up_to_the_gradient(*, repeated: bool) -> None:
    """Rows of zeros have no slice, others one or two that add up to the row."""
    dense, slices = given(sparse=(1,), repeated_ids=repeated)

    assert dense.numpy().tolist() == [1.0, 0.0]
    assert isinstance(slices, tf.IndexedSlices)
    assert slices.indices.numpy().tolist() == ([1, 2, 1, 2] if repeated else [1, 2])
    assert tf.convert_to_tensor(slices).numpy().tolist() == [[0.0], [3.0], [-4.0]]


def test_no_slices_of_zeros() -> None:
    """A gradient of zeros has slices of length 0."""
    variables = [keras.Variable(np.ones(2))]
    spy = Spy()
    gradient_step(variables, spy, PrecisionSpec(), sparse=(0,))({"row": tf.zeros(2), "missing": ()})

    assert spy.given[0].values.shape == (0,)


def test_a_successor_takes_over_what_was_saved() -> None:
    """It has the configuration, the slots, the count and the rate, and other variables."""
    variables = [keras.Variable(np.ones(2))]
    first = keras.optimizers.SGD(0.5, momentum=0.5, clipnorm=2.0)
    first.build(variables)
    first.apply([tf.ones(2)], variables)
    first.learning_rate = 0.25
    second = successor_of(first)
    second.build(variables)
    hand_over(first, second)

    assert second.get_config() == first.get_config() | {"learning_rate": 0.25}
    for one, other in zip(first.variables, second.variables, strict=True):
        assert one is not other
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_another_layout_is_refused() -> None:
    """Keras only warns that it loads nothing; the run must not go on as if it had."""
    variables = [keras.Variable(np.ones(2), name="weight")]
    first, second = keras.optimizers.SGD(0.5, momentum=0.5), keras.optimizers.SGD(0.5)
    for optimizer in (first, second):
        optimizer.build(variables)

    with pytest.raises(ValueError, match="an optimizer of the same configuration must have"):
        hand_over(first, second)
