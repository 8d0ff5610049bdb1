from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from pydantic import TypeAdapter

from harness.errors import PipelineError
from harness.pipeline.legacy import LegacyOptimizer
from harness.spec.optimizer import AnyOptimizer

ADAPTER: TypeAdapter[Any] = TypeAdapter(AnyOptimizer)
G = np.array([0.5, -1.0])

FIRST_STEPS: list[tuple[dict[str, Any], Any]] = [
    ({"kind": "sgd"}, 0.5 * G),
    ({"kind": "sgd", "momentum": 0.5}, 0.5 * G),
    ({"kind": "sgd", "momentum": 0.5, "nesterov": True}, 0.75 * G),
    ({"kind": "adam"}, 0.5 * np.sign(G)),
    ({"kind": "adagrad", "initial_accumulator_value": 0.5}, 0.5 * G / np.sqrt(0.5 + G**2)),
    # The mean square begins at one, not at zero.
    ({"kind": "rmsprop", "rho": 0.5}, 0.5 * G / np.sqrt(0.5 + 0.5 * G**2)),
]


@pytest.mark.parametrize(("table", "moved"), FIRST_STEPS)
def test_the_first_step_is_the_formula_and_counts_once(table: dict[str, Any], moved: Any) -> None:
    """`apply_gradients(global_step=...)` of TensorFlow 1 counts, as text 000 says."""
    optimizer = LegacyOptimizer(ADAPTER.validate_python({"learning_rate": 0.5, **table}))
    weight = keras.Variable(np.zeros(2), dtype="float64")
    loss = tf.constant(3.0)
    assert optimizer.scale_loss(loss) is loss
    optimizer.apply([tf.constant(G)], [weight])
    # Adam: epsilon 1e-7 over sqrt(1 - beta_2) and a gradient of 0.5 is 6.4e-6.
    np.testing.assert_allclose(-weight.numpy(), moved, rtol=1e-5)
    assert optimizer.iterations.numpy() == 1
    assert [id(variable) for variable in optimizer.variables] == [id(optimizer.iterations)]


def test_a_schedule_is_refused() -> None:
    """TensorFlow 1 optimizers take a number or a tensor."""
    schedule = {"kind": "callable", "value": 0.5}
    with pytest.raises(PipelineError) as caught:
        LegacyOptimizer(ADAPTER.validate_python({"kind": "sgd", "learning_rate": schedule}))
    assert str(caught.value) == (
        "legacy_global_step must have a constant learning_rate, got "
        "ConstantCallableSpec(kind='callable', value=0.5)."
    )


def test_an_optimizer_that_tensorflow_1_lacks_is_refused() -> None:
    """The message lists those it has."""
    with pytest.raises(PipelineError) as caught:
        LegacyOptimizer(ADAPTER.validate_python("adamw"))
    assert str(caught.value) == (
        "legacy_global_step must use sgd, adam, rmsprop or adagrad, got 'adamw': "
        "TensorFlow 1 has no other."
    )
