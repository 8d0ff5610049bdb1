from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import tensorflow as tf

from harness.pipeline.own_callbacks import (
    leak,
    raiser,
    scripted_monitor,
    silent_stopper,
    step_patience,
)
from harness.spec.callbacks import LeakSpec, RaiserSpec, SilentStopperSpec, StepPatienceSpec


def model(iterations: int = 0) -> Any:
    """Return as much of a model as a callback looks at."""
    optimizer = SimpleNamespace(iterations=tf.constant(iterations))
    return SimpleNamespace(stop_training=False, optimizer=optimizer)


def test_a_script_goes_on_with_its_last_value() -> None:
    """Also where logs are missing or the script is empty, nothing fails."""
    script = scripted_monitor("val_loss", (3.0, 2.0))
    seen = []
    for epoch in range(4):
        logs: dict[str, float] = {}
        script.on_epoch_end(epoch, logs)
        seen.append(logs["val_loss"])
    assert seen == [3.0, 2.0, 2.0, 2.0]
    script.on_epoch_end(0, None)
    untouched: dict[str, float] = {}
    scripted_monitor("val_loss", ()).on_epoch_end(0, untouched)
    assert untouched == {}


@pytest.mark.parametrize("batch", [None, 1])
def test_the_silent_stopper_stops_where_it_is_told_to(batch: int | None) -> None:
    """At the end of a batch or of an epoch, and nowhere else."""
    callback = silent_stopper(SilentStopperSpec(epoch=1, batch=batch))
    callback.set_model(model())
    stopped_at = []
    for epoch in range(2):
        callback.on_epoch_begin(epoch)
        for number in range(2):
            callback.on_train_batch_end(number)
            stopped_at.append((epoch, number, callback.model.stop_training))
        callback.on_epoch_end(epoch)
    assert callback.model.stop_training
    assert [stopped for *_, stopped in stopped_at] == [False] * 3 + [batch == 1]


def test_the_silent_stopper_stops_a_validation() -> None:
    """Of its epoch, and not the training."""
    callback = silent_stopper(SilentStopperSpec(of="evaluation", epoch=1, batch=0))
    callback.set_model(model())
    stopped_at = []
    for epoch in range(2):
        callback.on_epoch_begin(epoch)
        callback.on_train_batch_end(0)
        callback.model.stop_evaluating = False
        callback.on_test_batch_end(0)
        callback.on_epoch_end(epoch)
        stopped_at.append(callback.model.stop_evaluating)
    assert stopped_at == [False, True]
    assert not callback.model.stop_training


@pytest.mark.parametrize("kind", [ValueError, MemoryError, KeyboardInterrupt])
def test_the_raiser_raises_what_it_is_told_to(kind: type[BaseException]) -> None:
    """In its epoch only."""
    callback = raiser(RaiserSpec.model_validate({"epoch": 1, "exception": kind.__name__}))
    callback.on_epoch_begin(0)
    callback.on_train_batch_end(0)
    callback.on_epoch_end(0)
    callback.on_epoch_begin(1)
    with pytest.raises(kind, match="raised on purpose in epoch 1"):
        callback.on_epoch_end(1)


def test_step_patience_counts_steps_since_the_best_loss() -> None:
    """Exactly `patience` steps are still patience; a missing or NaN loss is no improvement."""
    callback = step_patience(StepPatienceSpec(patience=10))
    callback.set_model(model())
    callback.on_train_begin()
    stops = []
    for step, logs in ((5, {"loss": 1.0}), (10, {"loss": float("nan")}), (15, None), (16, {})):
        callback.model.optimizer.iterations = tf.constant(step)
        callback.on_epoch_end(0, logs)
        stops.append(callback.model.stop_training)
    assert stops == [False, False, False, True]
    callback.on_train_begin()
    assert (callback.best, callback.best_step) == (float("inf"), 0)


def test_the_leak_keeps_its_bytes_until_the_end() -> None:
    """Written, not only reserved."""
    callback = leak(LeakSpec(bytes_per_epoch=1000))
    callback.on_train_begin()
    for epoch in range(3):
        callback.on_epoch_end(epoch)
    assert sum(block.nbytes for block in callback.kept) == 3000
    assert all(block.all() for block in callback.kept)
    callback.on_train_end()
    assert callback.kept == []
