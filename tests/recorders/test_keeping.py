"""What a training keeps is counted: tensors, traced functions, things in callbacks."""

from __future__ import annotations

import gc
from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tensorflow as tf

from harness.recorders.keeping import Keeping
from harness.runner.run import run_pipeline
from harness.spec.pipeline import PipelineSpec
from harness.trace.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.trace import Event


@pytest.fixture
def keeping() -> Iterator[Keeping]:
    """Counting what is new from now on."""
    made = Keeping()
    made.begin()
    yield made
    made.end()


class Callback:
    """Something with attributes."""

    def __init__(self, **attributes: Any) -> None:
        """Have them."""
        vars(self).update(attributes)


def counted(keeping: Keeping, *callbacks: Any) -> dict[str, Any]:
    """What one look finds."""
    event: Event = keeping.event(3, callbacks, traces=2)
    assert (event.kind, event.name, event.epoch) == ("memory", "epoch", 3)
    return dict(event.detail)


def test_tensors_are_counted_by_kind(keeping: Keeping) -> None:
    """Those that are new and alive, with their size."""
    kept = [tf.zeros((2, 3)), tf.ones((2, 3)), tf.constant([1, 2], tf.int64)]
    found = counted(keeping)

    assert found["tensor.(2, 3) float32"] == 2
    assert found["bytes.(2, 3) float32"] == 24
    assert found["tensor.(2,) int64"] == 1
    kept.clear()
    assert not any(name.startswith("tensor.") for name in counted(keeping))


def test_what_was_there_before_is_not_counted() -> None:
    """Constants of a model are no leak, and neither is what an earlier run left."""
    before = tf.zeros((5, 5))
    keeping = Keeping()
    keeping.begin()
    try:
        assert "tensor.(5, 5) float32" not in counted(keeping)
    finally:
        keeping.end()
    assert before.shape == (5, 5)


def test_traced_functions_are_counted_by_name(keeping: Keeping) -> None:
    """Each Python number makes a graph of its own."""

    @tf.function  # type: ignore[untyped-decorator]
    def scaled(value: Any, factor: float) -> Any:
        return value * factor

    for factor in (1.0, 2.0, 3.0):
        scaled(tf.constant(1.0), factor)

    found = counted(keeping)
    assert found["function.scaled"] == 3
    assert found["traces"] == 2


def test_containers_of_callbacks_are_measured(keeping: Keeping) -> None:
    """Lists, tables of lists and sets; what was added last tells what they hold."""
    callback = Callback(
        rows=[np.ones(10), np.ones(20)],
        table={"loss": [1.0, 2.0, 3.0]},
        recent=deque([tf.zeros(4)]),
        seen={7},
        empty=[],
        params={"epochs": 3},
        number=5,
    )
    found = counted(keeping, callback)

    assert found["things.Callback.rows"] == 2
    assert (found["last.Callback.rows"], found["size.Callback.rows"]) == ("ndarray", 160)
    assert found["things.Callback.table"] == 4
    assert found["last.Callback.table"] == "float"
    assert (found["last.Callback.recent"], found["size.Callback.recent"]) == ("EagerTensor", 16)
    assert (found["things.Callback.seen"], found["last.Callback.seen"]) == (1, "int")
    assert found["things.Callback.empty"] == 0
    assert "last.Callback.empty" not in found
    assert not [name for name in found if name.endswith(("params", "number"))]


def test_old_objects_are_given_back() -> None:
    """Nothing stays frozen, however often it begins and ends."""
    before = gc.get_freeze_count()
    keeping = Keeping()
    keeping.begin()
    keeping.begin()
    assert gc.get_freeze_count() > before
    keeping.end()
    keeping.end()
    assert gc.get_freeze_count() == 0


def test_a_run_is_watched_on_request() -> None:
    """One event a batch, one an epoch; without the request none, and nothing stays frozen."""
    spec = PipelineSpec.model_validate(
        {
            "data": {"kind": "linear_regression", "examples": 16, "batch_size": 8},
            "training": {"kind": "fit", "epochs": 2},
        }
    )
    watched = run_pipeline(spec, Recording.of("memory"))
    plain = run_pipeline(spec)

    events = [event for event in watched.events if event.kind == "memory"]
    assert [(event.name, event.epoch, event.step) for event in events] == [
        ("batch", 0, 0),
        ("batch", 0, 1),
        ("epoch", 0, None),
        ("batch", 1, 2),
        ("batch", 1, 3),
        ("epoch", 1, None),
    ]
    assert all(int(event.detail["rss_bytes"]) > 0 for event in events if event.name == "batch")
    assert [event for event in plain.events if event.kind == "memory"] == []
    assert gc.get_freeze_count() == 0
