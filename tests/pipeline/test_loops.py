from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pytest
from packaging.version import Version

from harness.errors import PipelineError
from harness.trace import StopReason

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.trace import Trace

DATA = {"kind": "linear_regression", "examples": 20, "batch_size": 8, "shuffle": False}
LOOPS: list[dict[str, Any]] = [
    {"kind": "train_on_batch", "epochs": 2},
    {"kind": "gradient_tape", "epochs": 2},
    {"kind": "gradient_tape", "epochs": 2, "compiled": False},
    {"kind": "legacy_global_step", "epochs": 2},
]
ALL = ("state", "gradients", "samples")


@pytest.mark.parametrize("training", LOOPS, ids=lambda table: "-".join(map(str, table.values())))
def test_every_loop_trains_as_fit_does(training: dict[str, Any], run: Callable[..., Trace]) -> None:
    """Same batches, same gradients, same weights, in float64 and unshuffled."""
    tables: dict[str, Any] = {
        "data": DATA,
        "precision": {"policy": "float64"},
        # Exact in float32 and float64 alike, because TensorFlow 1 keeps the rate in float32.
        "optimizer": {"kind": "sgd", "learning_rate": 0.0625, "momentum": 0.5},
    }
    fit = run(*ALL, training={"kind": "fit", "epochs": 2}, **tables)
    other = run(*ALL, training=training, **tables)
    for name in ("epoch", "batch", "batch_size", "iterations_before", "iterations_after"):
        np.testing.assert_array_equal(other.steps.column(name), fit.steps.column(name))
    for name in ("loss", "gradient_norm", "learning_rate"):
        np.testing.assert_allclose(other.steps.column(name), fit.steps.column(name), rtol=1e-12)
    assert other.steps.sample_ids == fit.steps.sample_ids
    assert fit.state is not None
    assert other.state is not None
    for path in fit.state.paths("trainable"):
        np.testing.assert_allclose(
            other.state.after_of(path), fit.state.after_of(path), rtol=1e-10, atol=1e-12
        )
    assert [record.steps for record in other.epochs] == [3, 3]
    # Older ones report means over all batches so far (scenarios/metrics/frozen_on_batch.toml).
    if training["kind"] != "train_on_batch" or Version(keras.__version__) >= Version("3.15"):
        np.testing.assert_allclose(other.logs("loss"), fit.logs("loss"), rtol=1e-6)
    assert other.stop.reason is StopReason.COMPLETED


@pytest.mark.parametrize("source", ["array", "dataset", "generator", "py_dataset"])
@pytest.mark.parametrize("kind", ["train_on_batch", "gradient_tape"])
def test_max_steps_ends_a_loop_in_the_middle_of_an_epoch(
    kind: str, source: str, run: Callable[..., Trace]
) -> None:
    """The condition is the loop's own; the epoch that it cuts short is still recorded."""
    trace = run(
        data={**DATA, "source": source},
        training={"kind": kind, "epochs": 5, "max_steps": 4},
    )
    steps = [3, 1] if source != "generator" else [3, 0, 0, 0, 0]
    assert [record.steps for record in trace.epochs] == steps
    reason = StopReason.MAX_STEPS if source != "generator" else StopReason.DATA_EXHAUSTED
    assert trace.stop.reason is reason


def test_steps_per_epoch_leaves_the_rest_of_a_generator_for_later(
    run: Callable[..., Trace],
) -> None:
    """Nothing is lost between two epochs, and the end is noticed."""
    trace = run(
        "samples",
        data={**DATA, "source": "generator", "repeat": 2},
        training={"kind": "gradient_tape", "epochs": 4, "steps_per_epoch": 2},
    )
    assert trace.steps.sample_ids is not None
    drawn = [index for batch in trace.steps.sample_ids for index in batch]
    assert drawn == [*range(20), *range(20)]
    assert [record.steps for record in trace.epochs] == [2, 2, 2, 0]
    assert trace.stop.reason is StopReason.DATA_EXHAUSTED
    assert trace.stop.evidence == (
        "epoch 3 got 0 of 2 planned batches, 6 of 8 steps in all; the source gave 6 batches"
    )


def test_max_steps_counts_updates_not_batches(run: Callable[..., Trace]) -> None:
    """Under accumulation each update takes a window of batches."""
    trace = run(
        data={**DATA, "source": "dataset", "repeat": 0},
        optimizer={"kind": "sgd", "gradient_accumulation_steps": 3},
        training={"kind": "while_loop", "max_steps": 40},
    )
    assert trace.steps.updated is not None
    assert (len(trace.steps), int(trace.steps.updated.sum())) == (120, 40)
    assert trace.stop.reason is StopReason.MAX_STEPS


def test_a_while_loop_ends_with_its_data(run: Callable[..., Trace]) -> None:
    """The count would have allowed more."""
    trace = run(data={**DATA, "source": "dataset"}, training={"kind": "while_loop", "max_steps": 9})
    assert (len(trace.steps), trace.stop.planned_steps) == (3, 9)
    assert trace.stop.reason is StopReason.DATA_EXHAUSTED
    sizes, losses = trace.steps.column("batch_size"), trace.steps.column("loss")
    expected = (sizes * losses).sum() / sizes.sum()
    assert trace.logs("loss") == pytest.approx((expected,), rel=1e-12)


def test_a_while_loop_needs_a_dataset(run: Callable[..., Trace]) -> None:
    """Only a tf.data iterator can be read inside a graph."""
    with pytest.raises(PipelineError) as caught:
        run(data=DATA, training={"kind": "while_loop", "max_steps": 9})
    assert str(caught.value) == (
        "while_loop must read a tf.data.Dataset, got source 'array'. "
        'Set data.source to "dataset".'
    )


def test_initial_epoch_skips_epochs(run: Callable[..., Trace]) -> None:
    """Epoch numbers go on where an earlier training ended."""
    trace = run(data=DATA, training={"kind": "fit", "epochs": 4, "initial_epoch": 2})
    assert [record.epoch for record in trace.epochs] == [2, 3]
    assert trace.steps.epoch.tolist() == [2, 2, 2, 3, 3, 3]
    assert (trace.stop.planned_epochs, trace.stop.planned_steps) == (2, 6)


def test_class_weights_scale_the_loss(run: Callable[..., Trace]) -> None:
    """Twice the weight of every class is twice the loss."""
    tables = {
        "data": {"kind": "blobs", "examples": 16, "batch_size": 16, "shuffle": False},
        "model": {"kind": "mlp", "units": [3]},
        "loss": {"kind": "sparse_categorical_crossentropy", "from_logits": True},
    }
    plain = run(training={"kind": "fit"}, **tables)
    doubled = run(training={"kind": "fit", "class_weight": [2.0] * 3}, **tables)
    assert doubled.steps.column("loss")[0] == pytest.approx(
        2.0 * plain.steps.column("loss")[0], rel=1e-6
    )


def test_given_gradients_are_one_epoch_of_steps(run: Callable[..., Trace]) -> None:
    """No batch, no loss, and under mixed_float16 what does not fit becomes infinite."""
    trace = run(
        "gradients", "state",
        model={"kind": "variables"},
        precision={"policy": "mixed_float16", "loss_scale": {"initial_scale": 1024.0}},
        training={"kind": "apply_gradients", "gradients": [[1.0] * 5, [100.0] * 5]},
    )  # fmt: skip
    assert np.isnan(trace.steps.column("loss")).all()
    assert trace.steps.column("batch_size").tolist() == [0, 0]
    assert trace.gradients is not None
    assert trace.gradients.raw[:, 0].tolist() == [1.0, np.inf]
    assert trace.state is not None
    # The inner optimizer's own count: before Keras 3.9 the wrapper's `iterations` stays 0.
    assert trace.state.after_of("sgd/iteration").tolist() == [1, 1]
    assert trace.steps.column("loss_scale").tolist() == [1024.0, 1024.0]
