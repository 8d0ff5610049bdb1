"""A model that is saved and loaded between two fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.pipeline.backend import import_keras
from harness.runner.run import SESSIONS
from harness.trace import StopReason, compare_traces

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.trace import Trace

TABLES: dict[str, Any] = {
    "data": {"kind": "linear_regression", "examples": 8, "batch_size": 4, "shuffle": False},
    "model": {"kind": "mlp", "units": [2, 1]},
    "optimizer": {"kind": "adam"},
    "precision": {"policy": "float64"},
}


def fit(run: Callable[..., Trace], **training: Any) -> Trace:
    """Return the trace of three epochs."""
    return run("state", **TABLES, training={"kind": "fit", "epochs": 3, **training})


@pytest.mark.parametrize("how", ["nothing", "model", "weights"])
def test_steps_of_both_fits_are_one_run(run: Callable[..., Trace], how: str) -> None:
    """Six steps, three epochs, one counter: as if it had been one fit."""
    found = fit(run, save_and_load_after=1, saved_as=how)
    assert found.stop.reason is StopReason.COMPLETED
    assert [record.epoch for record in found.epochs] == [0, 1, 2]
    # Graphs that are traced anew may fuse float64 operations differently.
    wanted = ("steps", "weights", "slots", "counters", "logs", "stop")
    assert compare_traces(found, fit(run), quantities=wanted, rtol=1e-12, atol=1e-14) == ()


def test_a_pipeline_whose_model_was_replaced_is_not_kept(run: Callable[..., Trace]) -> None:
    """Its first model is gone; two fits of one model leave it where it was."""
    SESSIONS.clear()
    fit(run, save_and_load_after=1)
    assert not SESSIONS._kept
    fit(run, save_and_load_after=1, saved_as="nothing")
    assert len(SESSIONS._kept) == 1


def test_other_variables_end_the_run(
    run: Callable[..., Trace], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loaded optimizer that lacks a slot is an error that says what is missing."""
    keras = import_keras()
    wrong = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    wrong.compile("sgd", "mean_squared_error")
    wrong.optimizer.build(wrong.trainable_variables)
    monkeypatch.setattr(keras.saving, "load_model", lambda _: wrong)
    found = fit(run, save_and_load_after=1)
    assert found.stop.reason is StopReason.ERROR
    assert "what goes on must have the variables of what went before" in str(found.stop.exception)
    assert len(found.epochs) == 1
