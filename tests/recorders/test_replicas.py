"""What several replicas did becomes one row, and copies that part are seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from harness.errors import PipelineError
from harness.pipeline.backend import import_keras, import_tensorflow
from harness.pipeline.distribution import strategy_scope
from harness.recorders.replicas import Frame, apart, disagreements, merged
from harness.spec.distribution import MirroredSpec
from harness.trace import StopReason, VariableInfo

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.trace import Trace

# When pytest collects, before any test runs an operation: there is one moment for logical devices.
tf = import_tensorflow()

TABLES: dict[str, Any] = {
    "data": {
        "kind": "linear_regression",
        "examples": 20,
        "features": 3,
        "batch_size": 8,
        "shuffle": False,
    },
    "model": {"kind": "mlp", "units": [1]},
    "precision": {"policy": "float64"},
    "distribution": {"kind": "mirrored"},
}


def test_losses_and_gradients_are_added_up() -> None:
    """The rest is the first replica's; the examples stand in their order."""
    frames = [
        Frame(
            loss=tf.constant(loss),
            gradients=[tf.constant([slope]), None],
            learning_rate=0.5,
            after=tf.constant([1.0, 2.0]),
            inputs=tf.constant([[slope]]),
        )
        for loss, slope in ((1.0, 2.0), (0.5, 3.0))
    ]
    found = merged(frames)
    assert float(found.loss) == 1.5
    assert found.gradients[0].numpy().tolist() == [5.0]
    assert found.gradients[1] is None
    assert found.learning_rate == 0.5
    assert found.inputs.numpy().tolist() == [[2.0], [3.0]]
    assert found.apart.numpy().tolist() == [0.0, 0.0]


def test_nothing_recorded_is_nothing_merged() -> None:
    """Steps without a loss, an input or a state have none together."""
    found = merged([Frame(), Frame()])
    assert (found.loss, found.inputs, found.apart) == (None, None, None)


def test_distance_of_copies() -> None:
    """NaN is like NaN, infinity like infinity; a number is infinitely far from NaN."""
    nan, inf = np.nan, np.inf
    rows = [[1.0, nan, inf, 1.0, inf], [1.5, nan, inf, nan, -inf], [0.0, nan, inf, 1.0, inf]]
    distance = apart([tf.constant(row, "float64") for row in rows])
    assert distance.numpy().tolist() == [1.0, 0.0, 0.0, inf, inf]


def test_variables_that_part_are_named_with_their_first_step() -> None:
    """A variable whose copies agree in every step is not among them."""
    variables = [
        VariableInfo(path=path, shape=(2,), dtype="float32", role="trainable") for path in "ab"
    ]
    rows = np.zeros((3, 4))
    rows[1, 2], rows[2, 3] = 0.25, 4.0
    assert disagreements(rows, variables) == [("b", 1, 0.25)]


def test_a_step_of_two_replicas_is_one_row(run: Callable[..., Trace]) -> None:
    """Loss, gradients, samples and size are those of the whole batch."""
    record = ("state", "gradients", "samples")
    both = run(*record, **TABLES)
    alone = run(*record, **{**TABLES, "distribution": None})
    assert both.stop.reason is StopReason.COMPLETED
    assert both.steps.column("batch_size").tolist() == [8, 8, 4]
    assert both.steps.sample_ids == alone.steps.sample_ids
    assert both.gradients is not None
    assert alone.gradients is not None
    # Float64 sums in another order.
    np.testing.assert_allclose(both.gradients.raw, alone.gradients.raw, rtol=1e-12, atol=1e-14)
    assert [event.name for event in both.events if event.kind == "replicas"] == ["compared"]
    assert both.resources.traces == 1


def test_copies_that_part_are_recorded(
    run: Callable[..., Trace], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An optimizer that applies each replica's own gradient is seen in its first step."""

    def own_gradient(optimizer: Any, gradients: list[Any], variables: list[Any]) -> None:
        del optimizer
        for gradient, variable in zip(gradients, variables, strict=True):
            # On the replica's own copy, without telling the others.
            variable.value._get().assign_sub(0.5 * gradient)

    monkeypatch.setattr(import_keras().optimizers.SGD, "_backend_apply_gradients", own_gradient)
    trace = run("state", **TABLES, compile={"run_eagerly": True})
    names = [event.name for event in trace.events if event.kind == "replicas"]
    assert names == ["compared", "mlp/dense_0/kernel", "mlp/dense_0/bias"]


def test_too_few_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where somebody used TensorFlow first, it is said what to do."""
    monkeypatch.setattr(
        tf.config, "list_logical_devices", lambda _: [tf.config.LogicalDevice("/CPU:0", "CPU")]
    )
    with pytest.raises(PipelineError, match="run the scenario in a process of its own"):
        strategy_scope(MirroredSpec())
