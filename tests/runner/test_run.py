from __future__ import annotations

import gc
import importlib
import inspect
import os
import random
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any, NoReturn

import keras
import numpy as np
import pytest

from harness.errors import MissingBackendError, PipelineError
from harness.pipeline import own_callbacks
from harness.runner.run import SESSIONS, run_pipeline
from harness.spec.pipeline import PipelineSpec
from harness.trace import Recording, StopReason, Trace

DATA: dict[str, Any] = {"kind": "linear_regression", "examples": 20, "batch_size": 8}
FIT: dict[str, Any] = {"kind": "fit", "epochs": 2}
DATASET = {**DATA, "source": "dataset"}
EVERYTHING = Recording.of("samples", "hooks", "gradients", "state", "examples")


def run(recording: Recording = EVERYTHING, *, reuse: bool = True, **tables: Any) -> Trace:
    """Return the trace of a pipeline given as tables."""
    return run_pipeline(PipelineSpec.model_validate(tables), recording, reuse=reuse)


def location(function: Any, text: str) -> str:
    """Return file and line of a text in a function."""
    lines, start = inspect.getsourcelines(function)
    number = start + next(index for index, line in enumerate(lines) if text in line)
    return f"{inspect.getsourcefile(function)}:{number}"


STOPS: list[tuple[StopReason, dict[str, Any], str, str | None]] = [
    (StopReason.COMPLETED, {}, "2 of 2 epochs", None),
    (
        StopReason.EARLY_STOPPING,
        {"callbacks": [{"kind": "early_stopping", "scripted": True, "script": [1.0]}]},
        "on_epoch_end of EarlyStopping set model.stop_training",
        location(keras.callbacks.EarlyStopping, "self.model.stop_training = True"),
    ),
    (
        StopReason.CALLBACK_REQUEST,
        {"callbacks": [{"kind": "silent_stopper", "batch": 1}]},
        "on_train_batch_end of SilentStopper set model.stop_training",
        location(own_callbacks.silent_stopper, "self.model.stop_training = True"),
    ),
    (
        StopReason.CALLBACK_ERROR,
        {"callbacks": [{"kind": "raiser"}]},
        "on_epoch_end of Raiser raised ValueError",
        location(own_callbacks.raiser, "raise _EXCEPTIONS"),
    ),
    (
        StopReason.OUT_OF_MEMORY,
        {"callbacks": [{"kind": "raiser", "exception": "MemoryError"}]},
        "MemoryError was raised",
        location(own_callbacks.raiser, "raise _EXCEPTIONS"),
    ),
    (
        StopReason.INTERRUPTED,
        {"callbacks": [{"kind": "raiser", "exception": "KeyboardInterrupt"}]},
        "KeyboardInterrupt",
        location(own_callbacks.raiser, "raise _EXCEPTIONS"),
    ),
    (
        StopReason.DATA_EXHAUSTED,
        {"data": {**DATA, "source": "generator"}},
        "epoch 1 got 2 of 3 planned batches, 5 of 6 steps in all; the source gave 3 batches",
        None,
    ),
    (
        StopReason.DATA_EXHAUSTED,
        {"training": {"kind": "fit", "epochs": 1, "steps_per_epoch": 5}},
        "epoch 0 got 3 of 5 planned batches, 3 of 5 steps in all; the source gave 3 batches",
        None,
    ),
    (
        StopReason.NON_FINITE,
        {"optimizer": {"kind": "sgd", "learning_rate": 1e30}, "callbacks": ["terminate_on_nan"]},
        "on_batch_end of TerminateOnNaN set model.stop_training",
        location(keras.callbacks.TerminateOnNaN, "    self.model.stop_training = True"),
    ),
    (
        StopReason.MAX_STEPS,
        {"training": {"kind": "train_on_batch", "max_steps": 2}},
        "The loop's own condition became false",
        None,
    ),
]


@pytest.mark.parametrize(
    ("reason", "tables", "evidence", "place"), STOPS, ids=[row[0].value for row in STOPS]
)
def test_every_stop_has_its_reason_and_evidence(
    reason: StopReason, tables: dict[str, Any], evidence: str, place: str | None
) -> None:
    """What was seen is what proves it."""
    trace = run(Recording(), **{"data": DATASET, "training": FIT, **tables})
    assert trace.stop.reason is reason
    assert trace.stop.evidence == evidence
    assert trace.stop.location == place
    assert trace.stop.step == len(trace.steps) - 1
    assert (trace.stop.exception is None) == (place is None or "own_callbacks" not in place or
                                              reason is StopReason.CALLBACK_REQUEST)  # fmt: skip


def test_the_trace_reaches_up_to_an_exception() -> None:
    """Rows of the epoch that broke off are there and belong to it."""
    raiser = {"kind": "raiser", "epoch": 3, "batch": 1}
    training = {"kind": "fit", "epochs": 5, "initial_epoch": 3}
    trace = run(data=DATASET, training=training, callbacks=[raiser])
    assert (trace.steps.epoch.tolist(), trace.steps.batch.tolist()) == ([3, 3], [0, 1])
    assert trace.epochs == ()
    assert (trace.stop.epoch, trace.stop.planned_steps) == (3, 6)
    assert trace.state is not None
    assert len(trace.state) == 2


def test_what_keras_refuses_to_build_is_a_stop_reason() -> None:
    """The text of the exception is the evidence; nothing ran."""
    trace = run(data=DATASET, model={"kind": "mlp", "kernel_initializer": "no_such"})
    assert trace.stop.reason is StopReason.ERROR
    assert trace.stop.exception is not None
    assert trace.stop.exception.startswith("ValueError: ")
    assert "no_such" in trace.stop.exception
    assert (trace.stop.epoch, trace.stop.step, len(trace.steps), trace.epochs) == (
        None,
        None,
        0,
        (),
    )


def test_a_callback_that_keras_refuses_is_a_stop_reason() -> None:
    """A checkpoint must be named as Keras 3 wants it: text 001 did not."""
    checkpoint = {"kind": "model_checkpoint", "filepath": "model_weights"}
    trace = run(data=DATASET, callbacks=[checkpoint])
    assert trace.stop.reason is StopReason.ERROR
    assert trace.stop.exception is not None
    assert "`.keras`" in trace.stop.exception


def test_what_fails_in_the_step_is_a_stop_reason() -> None:
    """Labels for three classes against one output."""
    trace = run(
        data={"kind": "blobs", "one_hot": True, "examples": 8, "batch_size": 8},
        model={"kind": "mlp", "units": [2]},
        loss="categorical_crossentropy",
    )
    assert trace.stop.reason is StopReason.ERROR
    assert len(trace.steps) == 0


def write_module(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write a module of a user and return its name."""
    monkeypatch.syspath_prepend(str(folder))
    name = f"run_{folder.name}".replace("-", "_")
    (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return name


def test_bad_imports_and_data_are_errors_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are raised before anything runs, with the messages of their layer."""
    text = "def load():\n    return [[float('nan')]], [[1.0]]\n"
    name = write_module(tmp_path, text, monkeypatch)
    with pytest.raises(PipelineError) as caught:
        run(data={"kind": "import", "import": f"{name}:load"})
    assert str(caught.value) == (
        f"x of {name}:load must be finite, got NaN or infinity in 1 of 1 examples, first in "
        "example 0. Clean the data before training on it."
    )
    with pytest.raises(PipelineError, match=r"^import must name something in "):
        run(data=DATASET, callbacks=[{"kind": "import", "import": f"{name}:missing"}])
    with pytest.raises(PipelineError, match=r"^import must name a module that imports"):
        run(data=DATASET, model={"kind": "import", "import": "no_such_module:make"})


def test_a_missing_backend_is_an_error_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install."""

    def fail(name: str) -> NoReturn:
        message = f"No module named {name!r}"
        raise ModuleNotFoundError(message)

    monkeypatch.delitem(sys.modules, "tensorflow")
    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(MissingBackendError, match=r"pip install \"pytest-training-harness\[cpu\]"):
        run(data=DATASET)


def test_a_person_at_the_keyboard_gets_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only an interrupt that a callback raised is a stop reason."""

    def interrupt(*_: Any, **__: Any) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr("harness.runner.refit.train", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(data=DATASET)


@pytest.mark.parametrize(
    "tables",
    [
        {"data": {**DATASET, "shuffle": True}, "precision": {"policy": "float64"}},
        {"data": DATASET, "callbacks": ["csv_logger", {"kind": "raiser", "batch": 0}]},
        {"data": DATASET, "precision": {"policy": "mixed_float16"},
         "callbacks": [{"kind": "model_checkpoint", "monitor": "loss"}]},
        {"data": {**DATASET, "batch_size": 4}, "training": {"kind": "legacy_global_step"}},
    ],
    ids=["float64", "raised", "checkpoint", "legacy"],
)  # fmt: skip
def test_no_global_state_is_left_behind(
    tables: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Policy, default float, generators, warning filters, folders, files, import path."""

    def world() -> tuple[Any, ...]:
        numbers: Any = np.random.get_state()  # noqa: NPY002 - the global one is the subject
        return (
            keras.config.dtype_policy().name,
            keras.config.floatx(),
            random.getstate(),
            (numbers[0], numbers[1].tobytes(), *numbers[2:]),
            list(warnings.filters),
            warnings.showwarning,
            sorted(os.listdir(tmp_path)),  # noqa: PTH208 - names are enough
            list(sys.path),
            Path.cwd(),
        )

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = world()
    run(**tables)
    gc.collect()
    assert world() == before


def test_warnings_are_events() -> None:
    """Keras' words are kept, and nobody else hears them."""
    trace = run(Recording(), data={**DATA, "source": "generator"}, training=FIT)
    warned = [event for event in trace.events if event.kind == "warning"]
    assert any("ran out of data" in str(event.detail["message"]) for event in warned)
    assert {event.name for event in warned} == {"UserWarning"}


@pytest.mark.parametrize(
    ("data", "model", "loss"),
    [
        ({"kind": "logistic_regression"}, {"kind": "mlp", "output_activation": "sigmoid"},
         "binary_crossentropy"),
        ({"kind": "blobs", "one_hot": True},
         {"kind": "mlp", "units": [3], "output_activation": "softmax"}, "focal_loss"),
        ({"kind": "sequences"}, {"kind": "lstm"}, {"kind": "huber", "delta": 0.5}),
        ({"kind": "tokens"}, {"kind": "embedding"}, "binary_crossentropy"),
        ({"kind": "digits", "examples": 64}, {"kind": "mlp", "units": [10]},
         {"kind": "sparse_categorical_crossentropy", "from_logits": True}),
        ({"kind": "diabetes", "examples": 64}, {"kind": "mlp"}, "weighted_mse"),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else value,
)  # fmt: skip
def test_every_kind_of_data_and_model_learns(
    data: dict[str, Any], model: dict[str, Any], loss: Any
) -> None:
    """Ten epochs of Adam lower the loss, and every sample is recognised."""
    trace = run(
        Recording.of("samples"),
        data={**data, "source": "dataset"},
        model=model,
        loss=loss,
        optimizer={"kind": "adam", "learning_rate": 0.02},
        training={"kind": "fit", "epochs": 10},
    )
    assert trace.stop.reason is StopReason.COMPLETED
    assert trace.logs("loss")[-1] < trace.logs("loss")[0]
    assert trace.steps.sample_ids is not None
    assert min(min(batch) for batch in trace.steps.sample_ids) == 0


def test_step_patience_and_leak_run() -> None:
    """Both of the texts' callbacks, through Keras itself."""
    trace = run(
        Recording(),
        data=DATASET,
        training={"kind": "fit", "epochs": 9},
        optimizer={"kind": "sgd", "learning_rate": 0.0},
        callbacks=[
            {"kind": "step_patience", "patience": 4},
            {"kind": "leak", "bytes_per_epoch": 2**20},
        ],
    )
    assert trace.stop.reason is StopReason.CALLBACK_REQUEST
    assert [record.epoch for record in trace.epochs] == [0, 1, 2]


def test_traces_are_counted_for_each_run() -> None:
    """One the first time, none when a pipeline is used again."""
    SESSIONS.clear()
    counts = [run(Recording(), data=DATASET, training=FIT).resources.traces for _ in "ab"]
    assert counts == [1, 0]


def test_recording_nothing_special_is_the_default() -> None:
    """Cheap columns are there, expensive tables are not."""
    trace = run_pipeline(PipelineSpec.model_validate({"data": DATASET}))
    tables = (trace.state, trace.gradients, trace.examples, trace.steps.sample_ids)
    assert tables == (None, None, None, None)
    assert {"loss", "gradient_norm", "updated"} <= trace.steps.recorded
