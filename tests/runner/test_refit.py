"""Fits in several parts on real Keras: what comes before, and what is broken off."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from harness.invariants import judge_relation
from harness.runner.refit import parts
from harness.runner.run import run_pipeline
from harness.spec.expectation import UnchangedBySpec
from harness.spec.pipeline import PipelineSpec
from harness.trace import Recording, StopReason, Trace

DATA = {
    "kind": "linear_regression", "examples": 16, "features": 2, "batch_size": 8,
    "source": "dataset",
}  # fmt: skip
STOPPING = {
    "kind": "early_stopping", "mode": "min", "patience": 1, "scripted": True,
    "script": [3.0, 2.0, 1.0],
}  # fmt: skip
RECORDING = Recording.of("state", "hooks")


def spec(**tables: Any) -> PipelineSpec:
    """Return a pipeline over two batches an epoch."""
    return PipelineSpec.model_validate(
        {"data": DATA, "model": {"kind": "mlp", "units": [1]}, **tables}
    )


def run(*, reuse: bool = True, **tables: Any) -> Trace:
    """Return the trace of a pipeline given as tables."""
    return run_pipeline(spec(**tables), RECORDING, reuse=reuse)


def fit(epochs: int = 3, **arguments: Any) -> dict[str, Any]:
    """Return the table of a fit."""
    return {"kind": "fit", "epochs": epochs, **arguments}


def test_parts() -> None:
    """An earlier fit has its own epochs and scripts, and none is there where it has no epochs."""
    earlier = {"epochs": 2, "script": [0.0]}
    first, second = parts(
        spec(callbacks=[STOPPING, "csv_logger"], training=fit(earlier_fit=earlier))
    )
    assert (first.training.model_dump()["epochs"], second.training.model_dump()["epochs"]) == (2, 3)
    assert first.callbacks[0].model_dump()["script"] == (0.0,)
    assert second.callbacks[0].model_dump()["script"] == (3.0, 2.0, 1.0)
    assert len(parts(spec(training=fit(earlier_fit={"epochs": 0})))) == 1
    assert len(parts(spec(training={"kind": "train_on_batch"}))) == 1


@pytest.mark.parametrize("forgets", [True, False])
def test_a_callback_that_remembers_is_found(
    monkeypatch: pytest.MonkeyPatch, *, forgets: bool
) -> None:
    """`unchanged_by` new callbacks: a build that keeps the best of the first fit ends earlier."""
    if not forgets:
        begin = keras.callbacks.EarlyStopping.on_train_begin

        def remembers(self: Any, logs: Any = None) -> None:
            best = getattr(self, "best", None)
            begin(self, logs)
            self.best = best

        monkeypatch.setattr(keras.callbacks.EarlyStopping, "on_train_begin", remembers)
    earlier = {"epochs": 2, "script": [0.0, -1.0]}
    tables: dict[str, Any] = {"callbacks": [STOPPING]}
    trace = run(training=fit(earlier_fit=earlier), **tables)
    changed = run(training=fit(earlier_fit={**earlier, "same_callbacks": False}), **tables)
    found = judge_relation(
        UnchangedBySpec(change={"training.earlier_fit.same_callbacks": False}),
        pipeline=spec(training=fit(), **tables),
        trace=trace,
        changed=changed,
    )
    assert len(changed.epochs) == 3
    assert (len(trace.epochs) == 3) is forgets
    assert [item.message for item in found[:1]] == (
        [] if forgets else ["step 4 (epoch 2): number of steps is 6, expected 4, allowed ±0"]
    )


def test_an_earlier_fit_may_leave_its_weights() -> None:
    """With reset the recorded fit begins as if it were the first, else where the other ended."""
    alone = run(training=fit())
    reset = run(training=fit(earlier_fit={"epochs": 1, "then": ["evaluate", "predict"]}))
    kept = run(training=fit(earlier_fit={"epochs": 1, "reset": False}))
    assert alone.state is not None
    assert reset.state is not None
    assert kept.state is not None
    np.testing.assert_array_equal(reset.state.after, alone.state.after)
    np.testing.assert_array_equal(kept.state.initial, alone.state.after[1])


@pytest.mark.parametrize("restart", [None, 1])
@pytest.mark.parametrize("batch", [None, 0])
def test_an_interrupted_fit_is_one_trace(batch: int | None, restart: int | None) -> None:
    """Steps of the broken epoch are left out; without a backup a new model begins anew."""
    interrupt = {"epoch": 1, "batch": batch, "restart_at": restart}
    trace = run(training=fit(interrupt_after=interrupt), callbacks=["csv_logger"])
    before = [0] if batch == 0 else [0, 1]
    assert [record.epoch for record in trace.epochs] == [*before, *range(restart or 0, 3)]
    assert trace.stop.reason is StopReason.COMPLETED
    assert len(trace.steps) == 2 * len(trace.epochs)
    assert trace.state is not None
    begins_anew = 2 * len(before)
    np.testing.assert_array_equal(trace.state.before[begins_anew], trace.state.initial)


def test_an_earlier_fit_may_have_other_examples_and_stay_broken() -> None:
    """It trains one epoch of its two, with the callbacks of the recorded fit."""
    earlier = {"epochs": 2, "data_seed": 7, "interrupt_after": {"epoch": 0}, "reset": False}
    first, second = parts(spec(training=fit(earlier_fit=earlier)))
    assert (first.data.seed, second.data.seed) == (7, 0)
    for carried_on, steps in ((True, 4), (False, 2)):
        trace = run(training=fit(earlier_fit={**earlier, "carried_on": carried_on}))
        assert trace.steps.iterations_before is not None
        assert trace.steps.iterations_before[0] == steps


def test_an_interrupted_fit_goes_on_with_a_model_built_anew() -> None:
    """As a new process would, where no step has built the optimizer: at the same first weights."""
    optimizer = {"kind": "sgd", "momentum": 0.5, "prebuilt": False}
    trace = run(training=fit(interrupt_after={"epoch": 1}), optimizer=optimizer)
    assert [record.epoch for record in trace.epochs] == [0, 1, 0, 1, 2]
    losses = trace.steps.column("loss")
    np.testing.assert_array_equal(losses[4:8], losses[:4])


def test_a_fit_that_ends_before_its_interruption_ends() -> None:
    """Nothing is left to be carried on."""
    trace = run(
        training=fit(interrupt_after={"epoch": 2}), callbacks=[{**STOPPING, "script": [0.0]}]
    )
    assert trace.stop.reason is StopReason.EARLY_STOPPING


def test_a_broken_earlier_fit_is_the_end() -> None:
    """What an earlier fit raises is classified, and nothing was recorded."""
    trace = run(training=fit(earlier_fit={"epochs": 1}), callbacks=["raiser"])
    assert trace.stop.reason is StopReason.ERROR
    assert len(trace.steps) == 0


def test_files_are_told_by_their_content() -> None:
    """What a checkpoint holds is found among the steps; a log comes line by line."""
    callbacks = [
        {"kind": "model_checkpoint", "filepath": "best{epoch}.keras"},
        {"kind": "csv_logger"},
        {"kind": "backup_and_restore", "delete_checkpoint": False},
    ]
    trace = run(training=fit(2), callbacks=callbacks)
    files = {event.name: event.detail for event in trace.events if event.kind == "file"}
    whole = {"architecture": True, "optimizer": True}
    assert files == {
        "backup/latest.weights.h5": {
            "architecture": False, "optimizer": True, "first_steps": 4, "last_steps": 4,
        },
        "best1.keras": {**whole, "first_steps": 2, "last_steps": 2},
        "best2.keras": {**whole, "first_steps": 4, "last_steps": 4},
        "log.csv": {"lines": 3},
    }  # fmt: skip
    lines = [event.detail["text"] for event in trace.events if event.kind == "line"]
    assert str(lines[0]).startswith("epoch,")
    saved = [event for event in trace.events if event.kind == "saved"]
    assert [(event.name, event.detail["method"], event.detail["steps"]) for event in saved] == [
        ("best1.keras", "save", 2),
        ("backup/latest.weights.h5", "save_weights", 2),
        ("best2.keras", "save", 4),
        ("backup/latest.weights.h5", "save_weights", 4),
    ]
    assert trace.state is not None
    np.testing.assert_array_equal(trace.state.final, trace.state.after[-1])


def test_the_history_is_noted_twice() -> None:
    """As it was returned, and as the model keeps it after an evaluation."""
    trace = run(training=fit(2), then=["evaluate"])
    returned, kept = (event for event in trace.events if event.kind == "history")
    assert (returned.name, kept.name) == ("returned", "kept")
    assert returned.detail["epoch.1"] == 1
    assert set(returned.detail) == {"epoch.0", "epoch.1", "loss.0", "loss.1"}


def test_averages_may_be_swapped_in_after_training() -> None:
    """The evaluation after the training gets the callback where it is asked for."""
    swap = {"kind": "swap_ema_weights", "in_then": True}
    optimizer = {"kind": "sgd", "use_ema": True}
    trace = run(training=fit(1), callbacks=[swap], then=["evaluate"], optimizer=optimizer)
    assert trace.stop.reason is StopReason.COMPLETED
    assert trace.evaluation is not None
