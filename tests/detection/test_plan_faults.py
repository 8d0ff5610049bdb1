"""Plans that are wrong, or are said to be, are found: `preflight`."""

from typing import Any

import pytest

from harness.invariants import NothingToJudge, judge
from harness.invariants.base import Violation
from harness.invariants.judge import recording_for
from harness.spec.expectation import PreflightSpec, expectation_id
from harness.spec.pipeline import PipelineSpec
from harness.trace.recording import Recording
from tests.invariants.traces import fit_trace, pipeline

TINY = {
    "data": {"kind": "linear_regression", "examples": 65, "batch_size": 8},
    "training": {"kind": "fit", "epochs": 3},
}


def found(expectation: PreflightSpec, **tables: Any) -> tuple[Violation, ...]:
    """What the expectation finds wrong with a run of this pipeline."""
    spec = PipelineSpec.model_validate(tables)
    return judge(expectation, pipeline=spec, trace=fit_trace(pipeline()))


def test_a_wrong_plan_is_found() -> None:
    """Nothing is expected unless said; the whole finding is told."""
    (violation,) = found(PreflightSpec(), **TINY)

    assert violation.message.startswith("fit: batch_size: the last batch of a pass has 1 example")
    assert (violation.got, violation.expected) == ("tiny_last_batch", "nothing")
    assert violation.check == expectation_id(PreflightSpec()) == "preflight"


def test_a_plan_that_is_not_as_wrong_as_said_is_found() -> None:
    """The rule stopped to see it, or the scenario was mended."""
    expectation = PreflightSpec(finds=("tiny_last_batch", "two_clippings"))
    (violation,) = found(expectation, **TINY)

    assert violation.message == "two_clippings is not broken"


def test_a_plan_as_it_is_said_to_be_passes() -> None:
    """In order, or wrong in the way that was said."""
    assert found(PreflightSpec(finds=("tiny_last_batch",)), **TINY) == ()
    assert found(PreflightSpec(), training={"kind": "fit", "epochs": 3}) == ()


def test_a_plan_to_train_nothing_is_not_judged() -> None:
    """Metrics that are updated have no steps."""
    tables = {"data": {"kind": "predictions"}, "training": {"kind": "update_metrics"}}

    with pytest.raises(NothingToJudge, match="must look at a training"):
        found(PreflightSpec(), **tables)


def test_a_plan_needs_no_recording() -> None:
    """It is known before the run."""
    assert recording_for([PreflightSpec()]) == Recording()
