from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from harness.errors import PipelineError
from harness.runner.run import run_pipeline
from harness.spec.pipeline import PipelineSpec
from harness.trace import Recording, StopReason

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.trace import Trace

DATA = {"kind": "linear_regression", "examples": 20, "batch_size": 8, "shuffle": False}
DRIVEN: dict[str, Any] = {
    "model": {"kind": "variables", "shapes": [[2], [1]]},
    "precision": {"policy": "float64"},
}


def drive(run: Callable[..., Trace], rows: list[list[float]], **tables: Any) -> Trace:
    """Return the full trace of an optimizer driven with rows of three gradients."""
    merged = {**DRIVEN, **tables}
    return run(
        "state", "gradients", training={"kind": "apply_gradients", "gradients": rows}, **merged
    )


def test_the_columns_of_a_linear_model_are_those_of_numpy(run: Callable[..., Trace]) -> None:
    """Loss, gradient norm, weights, sizes and ids of every step, worked out by hand."""
    trace = run(
        "state", "gradients", "samples", "examples",
        data=DATA,
        model={"kind": "mlp", "units": [1]},
        optimizer={"kind": "sgd", "learning_rate": 0.0625},
        precision={"policy": "float64"},
        training={"kind": "fit", "epochs": 2},
    )  # fmt: skip
    assert trace.state is not None
    assert trace.gradients is not None
    assert trace.examples is not None
    x, y = trace.examples.inputs, trace.examples.targets
    weight = trace.state.initial_of("mlp/dense_0/kernel")
    bias = trace.state.initial_of("mlp/dense_0/bias")
    for step, start in enumerate([0, 8, 16] * 2):
        rows = slice(start, min(start + 8, 20))
        error = x[rows] @ weight + bias - y[rows]
        size = len(error)
        slope = np.concatenate([(2 * x[rows].T @ error / size).ravel(), 2 * error.mean(axis=0)])
        assert trace.steps.column("batch_size")[step] == size
        assert trace.steps.sample_ids is not None
        assert trace.steps.sample_ids[step] == tuple(range(20))[rows]
        # Float64 sums of at most eight terms, in another order.
        assert trace.steps.column("loss")[step] == pytest.approx((error**2).mean(), rel=1e-12)
        np.testing.assert_allclose(trace.gradients.raw[step], slope, rtol=1e-12, atol=1e-14)
        norm = trace.steps.column("gradient_norm")[step]
        assert norm == pytest.approx(np.linalg.norm(slope), rel=1e-12)
        weight = weight - 0.0625 * slope[:-1, None]
        bias = bias - 0.0625 * slope[-1:]
        after = trace.state.after_of("mlp/dense_0/kernel")[step]
        np.testing.assert_allclose(after, weight, rtol=1e-12)
    assert trace.steps.column("iterations_before").tolist() == list(range(6))
    assert trace.steps.column("iterations_after").tolist() == list(range(1, 7))
    assert trace.steps.column("learning_rate").tolist() == [0.0625] * 6
    assert trace.steps.column("loss_scale").tolist() == [1.0] * 6
    assert np.isnan(trace.steps.column("clipped_norm")).all()
    np.testing.assert_allclose(trace.state.final_of("mlp/dense_0/bias"), bias, rtol=1e-12)


def test_shuffled_samples_are_a_permutation_in_every_epoch(run: Callable[..., Trace]) -> None:
    """Ids are found by content, whatever Keras does with the arrays."""
    trace = run("samples", data={**DATA, "shuffle": True}, training={"kind": "fit", "epochs": 2})
    assert trace.steps.sample_ids is not None
    assert [len(batch) for batch in trace.steps.sample_ids] == [8, 8, 4] * 2
    for rows in (slice(0, 3), slice(3, 6)):
        drawn = [index for batch in trace.steps.sample_ids[rows] for index in batch]
        assert sorted(drawn) == list(range(20))
        assert drawn != list(range(20))


@pytest.mark.parametrize(
    ("clipping", "expected"),
    [
        ({"clipnorm": 2.0}, [[1.2, 1.6, 2.0], [0.3, 0.4, 0.5]]),
        ({"clipvalue": 2.0}, [[2.0, 2.0, 2.0], [0.3, 0.4, 0.5]]),
        (
            {"global_clipnorm": 2.0},
            [[value * 2.0 / 89**0.5 for value in (3.0, 4.0, 8.0)], [0.3, 0.4, 0.5]],
        ),
    ],
)
def test_clipped_gradients_and_their_norm(
    clipping: dict[str, float], expected: list[list[float]], run: Callable[..., Trace]
) -> None:
    """Both the gradients as they came and what reached the update."""
    rows = [[3.0, 4.0, 8.0], [0.3, 0.4, 0.5]]
    trace = drive(run, rows, optimizer={"kind": "sgd", "learning_rate": 1.0, **clipping})
    assert trace.gradients is not None
    assert trace.gradients.clipped is not None
    np.testing.assert_array_equal(trace.gradients.raw, rows)
    np.testing.assert_allclose(trace.gradients.clipped, expected, rtol=1e-12)
    norms = np.linalg.norm(expected, axis=1)
    np.testing.assert_allclose(trace.steps.column("clipped_norm"), norms, rtol=1e-12)
    raw_norms = np.linalg.norm(rows, axis=1)
    np.testing.assert_allclose(trace.steps.column("gradient_norm"), raw_norms, rtol=1e-12)


def test_accumulation_updates_once_per_window(run: Callable[..., Trace]) -> None:
    """The clipped row is the mean of the window; steps inside it change no weight."""
    rows = [[1.0, 0.0, 0.0], [3.0, 0.0, 0.0], [8.0, 0.0, 0.0]]
    optimizer = {"kind": "sgd", "clipnorm": 1.5, "gradient_accumulation_steps": 2}
    trace = drive(run, rows, optimizer=optimizer)
    assert trace.steps.column("updated").tolist() == [0, 1, 0]
    assert trace.steps.column("iterations_before").tolist() == [0, 0, 1]
    assert trace.steps.column("iterations_after").tolist() == [0, 1, 1]
    assert trace.gradients is not None
    assert trace.gradients.clipped is not None
    assert np.isnan(trace.gradients.clipped[[0, 2]]).all()
    assert trace.gradients.clipped[1].tolist() == [1.5, 0.0, 0.0]
    assert trace.state is not None
    assert trace.state.final_of("sgd/iteration") == 3
    assert trace.updates == 1


def test_a_skipped_step_changes_nothing_but_the_scale(run: Callable[..., Trace]) -> None:
    """Non-finite gradients stay non-finite in the record, and the scale follows its automaton."""
    rows = [[1.0] * 3, [np.inf, 1.0, 1.0], [1.0] * 3, [1.0] * 3]
    scale = {"initial_scale": 8.0, "dynamic_growth_steps": 2}
    trace = drive(
        run,
        rows,
        optimizer={"kind": "sgd", "momentum": 0.5},
        precision={"policy": "float64", "loss_scale": scale},
    )
    assert trace.steps.column("loss_scale").tolist() == [8.0, 8.0, 4.0, 4.0]
    assert trace.steps.column("updated").tolist() == [1, 0, 1, 1]
    assert trace.steps.column("gradient_norm").tolist() == [3**0.5, np.inf, 3**0.5, 3**0.5]
    assert trace.gradients is not None
    np.testing.assert_array_equal(trace.gradients.raw, rows)
    assert trace.state is not None
    # The inner optimizer's own count: before Keras 3.9 the wrapper's `iterations` stays 0.
    assert trace.state.after_of("sgd/iteration").tolist() == [1, 1, 2, 3]
    assert trace.state.final_of("loss_scale/dynamic_scale") == 8.0
    slot = trace.state.paths("slot")[0]
    np.testing.assert_array_equal(trace.state.before_of(slot)[1], trace.state.after_of(slot)[1])


def test_a_fixed_loss_scale_is_taken_out_again(run: Callable[..., Trace]) -> None:
    """The recorded loss and gradients do not know of it."""
    tables: dict[str, Any] = {"data": DATA, "precision": {"policy": "float64"}}
    plain = run("gradients", optimizer={"kind": "sgd"}, **tables)
    scaled = run("gradients", optimizer={"kind": "sgd", "loss_scale_factor": 8.0}, **tables)
    assert scaled.steps.column("loss_scale").tolist() == [8.0] * 3
    assert scaled.gradients is not None
    assert plain.gradients is not None
    # A power of two is exact.
    np.testing.assert_array_equal(scaled.gradients.raw, plain.gradients.raw)
    np.testing.assert_array_equal(scaled.steps.column("loss"), plain.steps.column("loss"))


def test_the_cheap_norm_is_the_exact_one_to_float32(run: Callable[..., Trace]) -> None:
    """Without gradients recorded, the norm is summed in the graph."""
    cheap = run(data=DATA, model={"kind": "mlp"}, optimizer="adam")
    full = run("gradients", data=DATA, model={"kind": "mlp"}, optimizer="adam")
    assert cheap.gradients is None
    # Float32 sums over 49 squares.
    np.testing.assert_allclose(
        cheap.steps.column("gradient_norm"), full.steps.column("gradient_norm"), rtol=1e-6
    )


def test_sparse_gradients_are_recorded_densely(run: Callable[..., Trace]) -> None:
    """Rows of ids that occur twice are summed, rows of absent ids are zero."""
    trace = run(
        "gradients", "examples",
        data={"kind": "tokens", "examples": 4, "batch_size": 4, "vocabulary": 64},
        model={"kind": "embedding", "vocabulary": 64},
        loss="binary_crossentropy",
    )  # fmt: skip
    assert trace.gradients is not None
    assert trace.examples is not None
    table = trace.gradients.raw_of("embedding_model/embedding/embeddings")[0]
    assert set(np.flatnonzero(table.any(axis=1))) == set(np.unique(trace.examples.inputs))


@pytest.mark.parametrize(
    "options",
    [
        {"run_eagerly": True},
        {"jit_compile": True},
        {"steps_per_execution": 2},
        {"steps_per_execution": 2, "jit_compile": True},
    ],
    ids=str,
)
def test_compile_options_record_the_same(
    options: dict[str, Any], run: Callable[..., Trace]
) -> None:
    """Eager, XLA and several steps per execution differ from the graph in rounding only."""
    record = ("state", "gradients", "samples")
    tables: dict[str, Any] = {
        "data": {**DATA, "source": "dataset"},
        "optimizer": {"kind": "adam", "clipnorm": 0.5},
        "precision": {"policy": "float64"},
        "training": {"kind": "fit", "epochs": 2},
    }
    plain = run(*record, compile={"jit_compile": False}, **tables)
    other = run(*record, compile=options, **tables)
    assert other.steps.recorded == plain.steps.recorded
    for name in ("epoch", "batch", "batch_size", "iterations_before", "iterations_after"):
        np.testing.assert_array_equal(other.steps.column(name), plain.steps.column(name))
    for name in ("loss", "gradient_norm", "clipped_norm", "updated", "learning_rate"):
        np.testing.assert_allclose(other.steps.column(name), plain.steps.column(name), rtol=1e-9)
    assert other.steps.sample_ids == plain.steps.sample_ids
    assert other.state is not None
    assert plain.state is not None
    np.testing.assert_allclose(other.state.after, plain.state.after, rtol=1e-9, atol=1e-12)
    assert (other.resources.traces is None) == bool(options.get("run_eagerly"))


def test_the_step_that_finds_no_batch_leaves_no_row(run: Callable[..., Trace]) -> None:
    """Not even when all rows are taken: Keras still counts it and applies weight decay."""
    trace = run(
        "state", "samples",
        data={**DATA, "source": "dataset_unknown", "batch_size": 1, "examples": 64},
        optimizer={"kind": "sgd", "weight_decay": 0.5},
    )  # fmt: skip
    assert len(trace.steps) == 64
    assert (trace.drawn_batches, trace.drawn_samples) == (64, 64)
    assert trace.stop.reason is StopReason.COMPLETED
    assert trace.state is not None
    iterations = trace.state.paths("iterations")[0]
    assert trace.state.before_of(iterations).tolist() == list(range(64))
    assert trace.state.after_of(iterations).tolist() == list(range(1, 65))
    assert trace.state.final_of(iterations) == 65


UNUSED = """
import keras

def make():
    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.used = keras.layers.Dense(1)
            self.unused = keras.layers.Dense(1)

        def build(self, shape):
            self.used.build(shape)
            self.unused.build(shape)

        def call(self, x):
            return self.used(x)

    return Model()
"""


def test_variables_without_gradient_are_named(
    run: Callable[..., Trace], user_module: Callable[[str], str]
) -> None:
    """Their rows are NaN by convention, the norm is that of the others, Keras' warning is kept."""
    name = user_module(UNUSED)
    trace = run("gradients", data=DATA, model={"kind": "import", "import": f"{name}:make"})
    missing = [event.name for event in trace.events if event.kind == "no_gradient"]
    assert missing == ["model/dense_1/kernel", "model/dense_1/bias"]
    assert all(event.step is None for event in trace.events if event.kind == "no_gradient")
    assert trace.gradients is not None
    assert np.isnan(trace.gradients.raw_of(missing[0])).all()
    present = trace.gradients.raw_of("model/dense/kernel").reshape(3, -1)
    rest = trace.gradients.raw_of("model/dense/bias")
    np.testing.assert_allclose(
        trace.steps.column("gradient_norm"),
        np.linalg.norm(np.concatenate([present, rest], axis=1), axis=1),
        rtol=1e-12,
    )
    messages = [str(event.detail["message"]) for event in trace.events if event.kind == "warning"]
    assert any("Gradients do not exist for variables" in message for message in messages)


def test_a_nan_in_a_present_gradient_stays_nan(run: Callable[..., Trace]) -> None:
    """Only absence is left out of the norm."""
    trace = drive(run, [[np.nan, 1.0, 1.0], [1.0, 0.0, 0.0]])
    norms = trace.steps.column("gradient_norm")
    assert np.isnan(norms[0])
    assert norms[1] == 1.0


def test_a_model_without_trainable_variables_still_has_steps(run: Callable[..., Trace]) -> None:
    """Nothing is updated, and that is what the rows say."""
    trace = run("state", "gradients", "samples", data=DATA, model={"kind": "mlp", "frozen": [0, 1]})
    assert trace.steps.column("batch_size").tolist() == [8, 8, 4]
    assert trace.steps.column("updated").tolist() == [0, 0, 0]
    assert trace.steps.column("gradient_norm").tolist() == [0.0] * 3
    assert trace.stop.reason is StopReason.COMPLETED


def test_a_recording_larger_than_its_budget_is_refused(run: Callable[..., Trace]) -> None:
    """The user's to mend, so it is an error and not a stop reason."""
    with pytest.raises(PipelineError, match=r"^recording must fit into 512 MiB, got \d+ MiB: "):
        run("state", data=DATA, model={"kind": "mlp", "units": [1000, 1000, 1]})


def test_without_norms_only_epochs_are_kept(run: Callable[..., Trace]) -> None:
    """For measuring what recording costs."""
    spec = PipelineSpec.model_validate({"data": DATA})
    trace = run_pipeline(spec, Recording(norms=False))
    assert trace.steps.recorded == {"epoch", "batch"}
    assert (len(trace.steps), len(trace.epochs), len(trace.logs("loss"))) == (0, 1, 1)
    assert run(data=DATA).logs("loss") == trace.logs("loss")
    assert trace.stop.reason is StopReason.COMPLETED


def test_without_counters_loss_and_norm_are_the_same() -> None:
    """The cheapest recording keeps loss and gradient norm bit for bit, and leaves the rest out."""
    spec = PipelineSpec.model_validate({"data": DATA, "training": {"kind": "fit", "epochs": 2}})
    full = run_pipeline(spec).steps
    lean = run_pipeline(spec, Recording(counters=False)).steps
    for name in ("loss", "gradient_norm"):
        assert lean.column(name).tolist() == full.column(name).tolist()
    left_out = {"learning_rate", "iterations_before", "iterations_after", "batch_size", "updated"}
    assert full.recorded - lean.recorded == left_out


def test_missing_gradients_are_named_step_by_step(run: Callable[..., Trace]) -> None:
    """Each gap is an event of its step, leaves NaN in its row and is in no norm."""
    training = {
        "kind": "apply_gradients",
        "gradients": [[3.0, 4.0, 12.0]] * 3,
        "missing": [[1], [], [0]],
    }
    for _ in range(2):
        trace = run("state", "gradients", training=training, **DRIVEN)
        gaps = [(event.name, event.step) for event in trace.events if event.kind == "no_gradient"]
        assert gaps == [("variable_1", 0), ("variable_0", 2)]
        assert trace.gradients is not None
        assert np.isnan(trace.gradients.raw).tolist() == [
            [False, False, True],
            [False, False, False],
            [True, True, False],
        ]
        assert trace.steps.column("gradient_norm").tolist() == [5.0, 13.0, 12.0]


def test_one_recording_of_two_optimizers(run: Callable[..., Trace]) -> None:
    """A run that saves and loads on the way leaves the trace of one that does not."""
    rows, traces = [[1.0, 2.0, 3.0], [0.5, 0.0, 1.0], [1.0, 1.0, 1.0]], []
    for after in (None, 1, 2, 3):
        training = {"kind": "apply_gradients", "gradients": rows, "save_and_load_after": after}
        optimizer = {"kind": "sgd", "momentum": 0.5}
        traces.append(
            run("state", "gradients", training=training, **{**DRIVEN, "optimizer": optimizer})
        )
    plain = traces[0].state
    assert plain is not None
    for trace in traces[1:]:
        assert trace.state is not None
        assert trace.state.variables == plain.variables
        np.testing.assert_array_equal(trace.state.before, plain.before)
        np.testing.assert_array_equal(trace.state.after, plain.after)
        np.testing.assert_array_equal(trace.state.final, plain.final)
