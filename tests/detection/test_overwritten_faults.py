"""A variable that is overwritten and has another value than the one that arrived is found."""

from typing import Final

import numpy as np
import pytest

from harness.invariants import NothingToJudge, View, judge
from harness.invariants.replay import rule_of
from harness.spec.expectation import InvariantSpec
from harness.spec.pipeline import PipelineSpec
from harness.trace import Trace
from tests.invariants.faults import judged, with_state
from tests.invariants.traces import apply_pipeline, apply_trace, fit_trace, pipeline

CHECK: Final = "overwritten_take_their_gradient"
SPEC = apply_pipeline(model__overwritten=[1])
"""Four steps with the rows of gradients at zero; the second of two variables is overwritten."""


def healthy() -> Trace:
    """Return a run whose second variable is zero after every step, as the rows are."""
    trace = apply_trace(apply_pipeline(), [[np.zeros(2), np.zeros(3)]] * 4)
    for step in range(4):
        for element in range(3):
            trace = with_state(trace, "variable_1", 0.0, step=step, element=element)
    return trace


def test_as_it_should_be() -> None:
    """What is not overwritten may have any value."""
    assert judged(CHECK, SPEC, healthy()) is None
    assert judged(CHECK, SPEC, with_state(healthy(), "variable_0", 7.0, step=2)) is None


def test_divided_by_something() -> None:
    """The first step with another value is named, `overwritten_take_their_gradient` exactly."""
    found = judged(CHECK, SPEC, with_state(healthy(), "variable_1", 0.5, step=2, element=1))
    assert found is not None
    assert found.message == (
        "step 2 (epoch 0): variable_1[1] is 0.5, expected 0, allowed ±0 (1 of 3 values differ)"
    )
    assert (found.step, found.where) == (2, "variable_1[1]")


@pytest.mark.parametrize(
    ("spec", "trace"),
    [(apply_pipeline(), healthy()), (pipeline(), fit_trace(pipeline()))],
    ids=["none", "fit"],
)
def test_nothing_is_overwritten(spec: PipelineSpec, trace: Trace) -> None:
    """It could never find anything wrong."""
    with pytest.raises(NothingToJudge, match="must have overwritten variables"):
        judge(InvariantSpec(name=CHECK), pipeline=spec, trace=trace)


def test_the_replay_leaves_them_to_this_check() -> None:
    """No oracle of an optimizer knows of them."""
    with pytest.raises(NothingToJudge, match="Expect overwritten_take_their_gradient instead"):
        rule_of(View(pipeline=SPEC, trace=healthy()))
