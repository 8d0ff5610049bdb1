from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.trace import Trace

DATA = {"kind": "linear_regression", "examples": 16, "batch_size": 8, "shuffle": False}


def names(trace: Trace, kind: str) -> list[str]:
    """Return the names of all events of one kind."""
    return [event.name for event in trace.events if event.kind == kind]


def test_hooks_come_in_the_order_of_keras(run: Callable[..., Trace]) -> None:
    """Training and validation, batches with their index, epochs with their number."""
    trace = run("hooks", data=DATA, validation={"split": 0.5}, training={"kind": "fit"})
    hooks = [event for event in trace.events if event.kind == "hook"]
    assert [event.name.removeprefix("on_") for event in hooks] == [
        "train_begin",
        "epoch_begin",
        *("train_batch_begin", "train_batch_end"),
        *("test_begin", "test_batch_begin", "test_batch_end", "test_end"),
        "epoch_end",
        "train_end",
    ]
    assert [event.epoch for event in hooks] == [None, *[0] * 8, None]
    assert [event.detail.get("batch") for event in hooks] == [
        None, None, 0, 0, None, 0, 0, None, None, None,
    ]  # fmt: skip


def test_hooks_are_recorded_on_request_only(run: Callable[..., Trace]) -> None:
    """Batch hooks cost time."""
    assert names(run(data=DATA), "hook") == []


def test_a_stop_request_stands_among_the_hooks(run: Callable[..., Trace]) -> None:
    """Right behind the hook in which it was made, with the line that made it."""
    stopper = {"kind": "silent_stopper", "epoch": 0, "batch": 0}
    trace = run("hooks", data=DATA, callbacks=[stopper])
    order = [event.name for event in trace.events if event.kind in {"hook", "stop_requested"}]
    assert order[order.index("SilentStopper") - 1] == "on_train_batch_end"
    request = next(event for event in trace.events if event.kind == "stop_requested")
    assert (request.epoch, request.detail["location"]) == (0, trace.stop.location)


def test_callbacks_are_seen_after_every_epoch_and_at_the_end(run: Callable[..., Trace]) -> None:
    """Their public numbers tell what they have decided; file names leave out the folder."""
    trace = run(
        data=DATA,
        training={"kind": "fit", "epochs": 3},
        callbacks=[
            {"kind": "early_stopping", "scripted": True, "script": [3.0, 4.0, 2.0], "patience": 5},
            {"kind": "csv_logger", "filename": "log.csv"},
        ],
    )
    seen = [event for event in trace.events if event.kind == "callback"]
    assert [(event.name, event.epoch) for event in seen] == [
        *((name, epoch) for epoch in (0, 1, 2) for name in ("EarlyStopping", "CSVLogger")),
        ("EarlyStopping", None),
        ("CSVLogger", None),
    ]
    stopping = [event.detail for event in seen if event.name == "EarlyStopping"]
    assert [detail["wait"] for detail in stopping] == [0, 1, 0, 0]
    assert [detail["best"] for detail in stopping] == [3.0, 3.0, 2.0, 2.0]
    assert [detail.get("final") for detail in stopping] == [None, None, None, True]
    assert {detail["index"] for detail in stopping} == {0}
    assert {event.detail["filename"] for event in seen if event.name == "CSVLogger"} == {"log.csv"}


def test_epoch_logs_are_those_the_last_callback_sees(run: Callable[..., Trace]) -> None:
    """Scripted monitors and the reduced rate included."""
    trace = run(
        data=DATA,
        training={"kind": "fit", "epochs": 3},
        optimizer={"kind": "sgd", "learning_rate": 0.5},
        callbacks=[
            {"kind": "reduce_lr_on_plateau", "scripted": True, "script": [1.0], "patience": 1,
             "factor": 0.5},
        ],
    )  # fmt: skip
    assert trace.logs("val_loss") == (1.0, 1.0, 1.0)
    assert [record.learning_rate for record in trace.epochs] == [0.5, 0.25, 0.125]
    assert trace.steps.column("learning_rate").tolist() == [0.5, 0.5, 0.5, 0.5, 0.25, 0.25]


ODD_LOGS = """
import keras, numpy as np

def make():
    class Odd(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs.update(text="fast", table=np.zeros(2), flag=True, number=np.float32(0.5))

    return Odd()
"""


def test_logs_that_are_no_numbers_are_left_out(
    run: Callable[..., Trace], user_module: Callable[[str], str]
) -> None:
    """Keras allows them, so they must not end the training."""
    name = user_module(ODD_LOGS)
    trace = run(data=DATA, callbacks=[{"kind": "import", "import": f"{name}:make"}])
    assert set(trace.epochs[0].logs) == {"loss", "flag", "number"}
    assert trace.epochs[0].logs["number"] == 0.5


@pytest.mark.parametrize(
    ("source", "drawn"),
    [("array", [None, None]), ("dataset", [2, 2]), ("dataset_unknown", [2, 2])],
)
def test_draws_are_counted_for_each_epoch(
    source: str, drawn: list[Any], run: Callable[..., Trace]
) -> None:
    """Arrays hand out nothing that could be counted."""
    trace = run(data={**DATA, "source": source}, training={"kind": "fit", "epochs": 2})
    assert [record.drawn_batches for record in trace.epochs] == drawn
    assert trace.drawn_batches == (None if None in drawn else sum(drawn))


def test_the_hooks_of_a_py_dataset_are_events(run: Callable[..., Trace]) -> None:
    """How often Keras calls them is for a scenario to judge."""
    trace = run(data={**DATA, "source": "py_dataset"}, training={"kind": "fit", "epochs": 2})
    assert set(names(trace, "source")) == {"on_epoch_begin", "on_epoch_end"}


def test_a_generator_that_ends_says_so(run: Callable[..., Trace]) -> None:
    """Keras replays what it has peeked at; the warning and the count tell."""
    trace = run(data={**DATA, "source": "generator"}, training={"kind": "fit", "epochs": 3})
    assert "exhausted" in names(trace, "source")
    assert trace.drawn_batches == 2
    assert trace.stop.evidence == "the source ended after 6 steps; the source gave 2 batches"
