from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import TypeAdapter

from harness.errors import PipelineError
from harness.pipeline.callbacks import build_callback, build_callbacks
from harness.spec.callbacks import AnyCallback

if TYPE_CHECKING:
    from collections.abc import Callable

ADAPTER: TypeAdapter[Any] = TypeAdapter(AnyCallback)

CALLBACKS: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
    (
        {"kind": "early_stopping", "patience": 2, "min_delta": 0.5, "mode": "min",
         "baseline": 3.0, "restore_best_weights": True, "start_from_epoch": 1},
        "EarlyStopping",
        {"patience": 2, "min_delta": 0.5, "baseline": 3.0, "restore_best_weights": True,
         "start_from_epoch": 1, "monitor": "val_loss"},
    ),
    (
        {"kind": "reduce_lr_on_plateau", "factor": 0.5, "patience": 1, "cooldown": 2,
         "min_lr": 0.25, "monitor": "loss"},
        "ReduceLROnPlateau",
        {"factor": 0.5, "patience": 1, "cooldown": 2, "min_lr": 0.25, "monitor": "loss"},
    ),
    (
        {"kind": "model_checkpoint", "filepath": "best.keras", "save_best_only": True},
        "ModelCheckpoint",
        {"filepath": "/folder/best.keras", "save_best_only": True},
    ),
    (
        {"kind": "model_checkpoint", "filepath": "a.weights.h5", "save_weights_only": True,
         "save_freq": 3, "initial_value_threshold": 0.5},
        "ModelCheckpoint",
        {"save_weights_only": True, "save_freq": 3, "best": 0.5},
    ),
    (
        {"kind": "backup_and_restore", "save_freq": 2, "delete_checkpoint": False},
        "BackupAndRestore",
        {"backup_dir": "/folder/backup", "save_freq": 2, "delete_checkpoint": False},
    ),
    ({"kind": "terminate_on_nan"}, "TerminateOnNaN", {}),
    ({"kind": "csv_logger", "filename": "a.csv"}, "CSVLogger", {"filename": "/folder/a.csv"}),
    ({"kind": "progress_bar", "verbose": 2}, "ProgressBar", {"shown": []}),
    ({"kind": "tensorboard", "update_freq": 3, "histogram_freq": 2}, "TensorBoard",
     {"update_freq": 3, "histogram_freq": 2, "write_graph": False}),
    ({"kind": "tensorboard", "own_scalar": True}, "OwnScalar", {"update_freq": "epoch"}),
    ({"kind": "swap_ema_weights", "swap_on_epoch": True}, "SwapEMAWeights",
     {"swap_on_epoch": True}),
    ({"kind": "silent_stopper"}, "SilentStopper", {}),
    ({"kind": "raiser"}, "Raiser", {}),
    ({"kind": "step_patience"}, "StepPatience", {}),
    ({"kind": "leak", "bytes_per_epoch": 1}, "Leak", {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("table", "name", "attributes"), CALLBACKS, ids=[name for _, name, _ in CALLBACKS]
)
def test_every_kind_is_built_with_its_arguments(
    table: dict[str, Any], name: str, attributes: dict[str, Any]
) -> None:
    """Files go into the folder of the run."""
    callback = build_callback(ADAPTER.validate_python(table), Path("/folder"))
    assert type(callback).__name__ == name
    assert {key: getattr(callback, key) for key in attributes} == attributes


def test_step_decay_drops_every_so_many_epochs() -> None:
    """It is Keras' LearningRateScheduler with text 001's function."""
    table = {"kind": "step_decay", "initial": 1.0, "drop": 0.5, "epochs_drop": 2}
    callback = build_callback(ADAPTER.validate_python(table), Path())
    assert type(callback).__name__ == "LearningRateScheduler"
    assert [callback.schedule(epoch) for epoch in range(5)] == [1.0, 1.0, 0.5, 0.5, 0.25]


def test_a_scheduler_reads_its_table() -> None:
    """Past its end the last value stays; a relative one is a factor on the rate of then."""
    table = {"kind": "learning_rate_scheduler", "values": [1.0, 0.5]}
    absolute = build_callback(ADAPTER.validate_python(table), Path())
    assert [absolute.schedule(epoch) for epoch in range(3)] == [1.0, 0.5, 0.5]
    relative = build_callback(ADAPTER.validate_python({**table, "relative": True}), Path())
    assert [relative.schedule(epoch, 4.0) for epoch in range(3)] == [4.0, 2.0, 2.0]


def test_scripts_are_apart_from_callbacks() -> None:
    """Only monitors that are scripted have one."""
    specs = [
        ADAPTER.validate_python({"kind": "early_stopping", "scripted": True, "script": [1.0]}),
        ADAPTER.validate_python("reduce_lr_on_plateau"),
    ]
    callbacks, scripts = build_callbacks(specs, Path())
    assert [type(callback).__name__ for callback in callbacks] == [
        "EarlyStopping",
        "ReduceLROnPlateau",
    ]
    logs: dict[str, float] = {}
    scripts[0].on_epoch_end(0, logs)
    assert (len(scripts), logs) == (1, {"val_loss": 1.0})


def test_an_imported_callback_must_be_one(user_module: Callable[[str], str]) -> None:
    """A function that forgot to return its callback is told so."""
    name = user_module(
        "import keras\n\ndef make():\n    return keras.callbacks.Callback()\n"
        "def wrong():\n    keras.callbacks.Callback()\n"
    )
    made = build_callback(
        ADAPTER.validate_python({"kind": "import", "import": f"{name}:make"}), Path()
    )
    assert type(made).__name__ == "Callback"
    with pytest.raises(PipelineError) as caught:
        build_callback(
            ADAPTER.validate_python({"kind": "import", "import": f"{name}:wrong"}), Path()
        )
    assert str(caught.value) == f"{name}:wrong must return a keras Callback, got type NoneType."
