from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from harness.pipeline.inputs import build_inputs
from harness.recorders.resources import PeakMemory
from harness.runner.assemble import nothing_ran
from harness.runner.run import run_pipeline
from harness.spec.canonical import canonical_json
from harness.spec.pipeline import PipelineSpec
from harness.trace import Recording, Stop, StopReason

if TYPE_CHECKING:
    from harness.trace import Trace

DATA: dict[str, Any] = {
    "kind": "linear_regression", "examples": 20, "batch_size": 8, "source": "dataset"
}  # fmt: skip
ZERO: dict[str, Any] = {
    "model": {"kind": "variables", "shapes": [[1]]},
    "training": {"kind": "apply_gradients", "gradients": [[0.0], [1.0]]},
}


def run(*record: str, **tables: Any) -> Trace:
    """Return the trace of tables."""
    return run_pipeline(PipelineSpec.model_validate(tables), Recording.of(*record))


def test_a_run_that_never_began_is_an_empty_trace() -> None:
    """It still says what was asked for, where, and why not."""
    stop = Stop(reason=StopReason.ERROR, evidence="ValueError was raised")
    trace = nothing_ran(PipelineSpec(), stop, PeakMemory(), 1.5)
    assert (len(trace.steps), trace.epochs, trace.events) == (0, (), ())
    assert trace.pipeline == canonical_json(PipelineSpec())
    assert trace.stop == stop
    assert trace.resources.wall_seconds == 1.5
    assert trace.resources.peak_rss_bytes >= trace.resources.start_rss_bytes > 0


def test_updated_is_what_happened_to_the_weights_where_they_were_watched() -> None:
    """An update by zero counts for the optimizer and changes nothing."""
    assert run(**ZERO).steps.column("updated").tolist() == [1, 1]
    assert run("state", **ZERO).steps.column("updated").tolist() == [0, 1]


def test_tables_are_there_on_request() -> None:
    """Clipped gradients only where something clips."""
    plain = run("gradients", **ZERO)
    assert plain.state is None
    assert plain.gradients is not None
    assert plain.gradients.clipped is None
    clipped = run("gradients", optimizer={"kind": "sgd", "clipvalue": 0.5}, **ZERO)
    assert clipped.gradients is not None
    assert clipped.gradients.clipped is not None
    assert clipped.gradients.clipped.tolist() == [[0.0], [0.5]]


def test_examples_are_the_arrays_that_were_trained_on() -> None:
    """In the default float, validation apart."""
    tables: dict[str, Any] = {"data": DATA, "validation": {"split": 0.25}}
    trace = run("examples", **tables)
    inputs = build_inputs(PipelineSpec.model_validate(tables))
    assert inputs.examples is not None
    assert inputs.validation is not None
    assert trace.examples is not None
    np.testing.assert_array_equal(trace.examples.inputs, inputs.examples.inputs)
    assert trace.examples.inputs.dtype == np.float32
    assert trace.examples.validation_inputs is not None
    np.testing.assert_array_equal(
        trace.examples.validation_inputs, inputs.validation.examples.inputs
    )
    assert run("examples", **ZERO).examples is None


@pytest.mark.parametrize(
    ("tables", "counted"),
    [
        ({}, True),
        ({"compile": {"run_eagerly": True}}, False),
        ({"training": {"kind": "gradient_tape"}}, True),
        ({"training": {"kind": "gradient_tape", "compiled": False}}, False),
        ({"training": {"kind": "legacy_global_step"}}, False),
    ],
    ids=str,
)
def test_traces_are_counted_where_there_is_a_graph(tables: dict[str, Any], counted: bool) -> None:  # noqa: FBT001 - a table
    """Run eagerly, every step would be one."""
    trace = run(data=DATA, **tables)
    assert (trace.resources.traces is not None) == counted


def test_draws_and_evaluation_and_predictions_are_of_the_training_data() -> None:
    """What was held out is neither drawn nor predicted."""
    trace = run(data=DATA, validation={"split": 0.25}, then=["evaluate", "predict"])
    assert (trace.drawn_batches, trace.drawn_samples) == (2, 15)
    assert trace.predictions is not None
    assert trace.predictions.shape == (15, 1)
    assert trace.evaluation is not None
    assert set(trace.evaluation) == {"loss"}
