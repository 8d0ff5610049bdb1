"""A kept pipeline must be indistinguishable from a fresh one, whatever ran in between."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pytest

from harness.runner.run import SESSIONS, run_pipeline
from harness.spec.pipeline import PipelineSpec
from harness.trace import Recording, StopReason, Trace, read_trace, write_trace

if TYPE_CHECKING:
    from pathlib import Path

DATA: dict[str, Any] = {"kind": "linear_regression", "examples": 20, "batch_size": 8}
FIT: dict[str, Any] = {"kind": "fit", "epochs": 2}
DATASET = {**DATA, "source": "dataset"}
EVERYTHING = Recording.of("samples", "hooks", "gradients", "state", "examples")


def run(*, reuse: bool = True, **tables: Any) -> Trace:
    """Return the whole trace of a pipeline given as tables."""
    return run_pipeline(PipelineSpec.model_validate(tables), EVERYTHING, reuse=reuse)


def timeless(trace: Trace) -> Trace:
    """Return a trace without what no two runs share: time, memory, tracing, threads."""
    resources = replace(
        trace.resources, wall_seconds=0.0, peak_rss_bytes=0, start_rss_bytes=0, traces=None
    )
    epochs = tuple(replace(record, rss_bytes=0) for record in trace.epochs)
    # Batches are drawn ahead in threads that run as they like.
    events = tuple(event for event in trace.events if event.kind != "source")
    return replace(trace, resources=resources, epochs=epochs, events=events)


REUSED: dict[str, dict[str, Any]] = {
    "array": {"data": DATA},
    "unshuffled": {"data": {**DATA, "shuffle": False}},
    "dataset": {"data": DATASET},
    "shuffled-dataset": {"data": {**DATASET, "shuffle": True}},
    "unknown": {"data": {**DATA, "source": "dataset_unknown"}},
    "generator": {"data": {**DATA, "source": "generator"}},
    "py-dataset": {"data": {**DATA, "source": "py_dataset"}},
    "adam": {"data": DATASET, "optimizer": {"kind": "adam", "amsgrad": True, "clipnorm": 0.1}},
    "averaged": {
        "data": DATASET,
        "optimizer": {
            "kind": "adamw", "use_ema": True, "ema_overwrite_frequency": 2,
            "gradient_accumulation_steps": 2, "global_clipnorm": 0.5,
        },
        "callbacks": ["swap_ema_weights"],
    },
    "schedule": {
        "data": DATASET,
        "optimizer": {
            "kind": "rmsprop",
            "learning_rate": {"kind": "warmup_cosine", "peak": 0.1, "warmup_steps": 2,
                              "total_steps": 6},
        },
    },
    "float64": {"data": DATASET, "precision": {"policy": "float64"}},
    "float16": {"data": DATASET, "precision": {"policy": "mixed_float16"}},
    "bfloat16": {"data": DATASET, "precision": {"policy": "mixed_bfloat16"}},
    "dropout": {
        "data": DATASET,
        "model": {"kind": "mlp", "units": [4, 1], "batch_norm": True, "dropout": 0.5},
        "then": ["evaluate", "predict"],
    },
    "noise": {
        "data": DATASET,
        "model": {"kind": "mlp", "units": [4, 1],
                  "between": ["gaussian_dropout", "batch_normalization", "gaussian_noise"]},
    },
    "callbacks": {
        "data": DATASET,
        "validation": {"split": 0.3},
        "callbacks": [
            {"kind": "reduce_lr_on_plateau", "patience": 1, "min_delta": 10.0},
            {"kind": "model_checkpoint", "filepath": "best.keras", "save_best_only": True},
            {"kind": "early_stopping", "patience": 1, "min_delta": 10.0,
             "restore_best_weights": True},
            "csv_logger",
        ],
    },
    "heads": {"data": DATA, "model": {"kind": "multi_output"}, "metrics": ["mean_absolute_error"]},
    "names": {
        "data": DATA,
        "model": {"kind": "multi_output", "heads": [{"name": "b", "target_factor": 2.0},
                                                    {"name": "a", "loss": "mean_absolute_error"}]},
        "compile": {"by_name": True, "compiled_before": True, "loss_weights": [0.5, 2.0]},
    },
    "texts": {
        "data": {"kind": "tokens", "examples": 12, "batch_size": 8, "source": "dataset",
                 "shortest": 2, "padding": 1, "per_token": True, "weighted": True},
        "model": {"kind": "embedding", "mask_zero": True, "recurrent": True, "per_token": True},
        "loss": "binary_crossentropy",
    },
    "eager": {"data": DATASET, "compile": {"run_eagerly": True}},
    "train-on-batch": {"data": DATA, "training": {"kind": "train_on_batch", "epochs": 2}},
    "tape": {"data": {**DATASET, "shuffle": True},
             "training": {"kind": "gradient_tape", "epochs": 2}},
    "driven": {
        "model": {"kind": "variables"},
        "training": {"kind": "apply_gradients", "gradients": [[0.5] * 5, [np.inf] * 5]},
        "precision": {"loss_scale": {"initial_scale": 4.0}},
    },
    "while": {"data": DATASET, "training": {"kind": "while_loop", "max_steps": 2}},
    "legacy": {"data": DATA, "training": {"kind": "legacy_global_step"}},
}  # fmt: skip


@pytest.mark.parametrize("tables", REUSED.values(), ids=REUSED)
def test_a_kept_pipeline_runs_like_a_fresh_one(tables: dict[str, Any], tmp_path: Path) -> None:
    """Bit for bit, after another run with other values, and through a file."""
    tables = {"training": FIT, **tables}
    fresh = timeless(run(reuse=False, **tables))
    run(**tables)
    again = run(**tables)
    assert fresh.stop.reason is not StopReason.ERROR
    assert timeless(again) == fresh
    write_trace(again, tmp_path / "trace.npz")
    assert read_trace(tmp_path / "trace.npz") == again


def test_values_may_change_between_two_uses_of_one_pipeline() -> None:
    """Each run is what a fresh pipeline makes of its values."""
    variants: list[dict[str, Any]] = [
        {},
        {"optimizer": {"kind": "sgd", "learning_rate": 0.5}},
        {"data": {**DATASET, "seed": 3, "examples": 30}},
        {"training": {"kind": "fit", "epochs": 1}},
        {"callbacks": [{"kind": "step_decay", "initial": 0.25, "epochs_drop": 1}]},
        {"callbacks": [{"kind": "silent_stopper"}], "then": ["evaluate"]},
        {"validation": {"split": 0.5}},
        {},
    ]
    SESSIONS.clear()
    for variant in variants:
        tables = {"data": DATASET, "training": FIT, **variant}
        assert timeless(run(**tables)) == timeless(run(reuse=False, **tables))


def test_gradients_and_initial_values_may_change_too() -> None:
    """Among them the number of steps."""
    for rows, start in (([[1.0, 2.0]], [0.0, 0.0]), ([[-1.0, 0.5]] * 3, [1.0, 2.0])):
        tables: dict[str, Any] = {
            "model": {"kind": "variables", "shapes": [[2]], "initial": start},
            "training": {"kind": "apply_gradients", "gradients": rows},
        }
        trace = run(**tables)
        assert timeless(trace) == timeless(run(reuse=False, **tables))
        assert len(trace.steps) == len(rows)
        assert trace.state is not None
        assert trace.state.initial.tolist()[:2] == start


def test_a_failed_run_does_not_spoil_the_next() -> None:
    """Its pipeline is thrown away."""
    tables: dict[str, Any] = {"data": DATASET, "training": FIT}
    before = timeless(run(**tables))
    assert run(callbacks=[{"kind": "raiser", "batch": 1}], **tables).stop.callback == "Raiser"
    assert timeless(run(**tables)) == before


def test_a_shuffled_dataset_does_not_depend_on_earlier_runs() -> None:
    """tf.data takes the global seed when a pipeline is made, so that must be set by then."""
    tables: dict[str, Any] = {"data": {**DATASET, "shuffle": True}, "training": FIT}
    first = run(**tables).steps.sample_ids
    keras.utils.set_random_seed(99)
    assert run(**tables).steps.sample_ids == first
    assert run(seed=1, **tables).steps.sample_ids != first


def test_unnamed_layers_of_a_user_have_the_same_paths_every_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many models the process has built before."""
    text = "import keras\n\ndef make():\n    return keras.Sequential([keras.layers.Dense(1)])\n"
    monkeypatch.syspath_prepend(str(tmp_path))
    name = f"reuse_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    tables: dict[str, Any] = {
        "data": DATASET, "model": {"kind": "import", "import": f"{name}:make"}
    }  # fmt: skip
    first = timeless(run(**tables))
    assert first.state is not None
    assert first.state.paths("trainable") == ("sequential/dense/kernel", "sequential/dense/bias")
    assert timeless(run(**tables)) == first
