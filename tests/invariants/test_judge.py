"""Expectations to checks, and what they need to have recorded."""

import contextlib
import math
from dataclasses import replace
from typing import Any

import pytest
from pydantic import TypeAdapter

from harness.errors import HarnessUsageError
from harness.invariants import NothingToJudge, judge, recording_for, registered
from harness.spec.expectation import AnyExpectation, BoundSpec, InvariantSpec
from harness.trace import Recording
from tests.invariants.faults import with_epoch, with_state
from tests.invariants.traces import fit_trace, pipeline

SPEC = pipeline()


def expectation(**table: Any) -> AnyExpectation:
    """Return an expectation as a scenario file would give it."""
    adapter: TypeAdapter[AnyExpectation] = TypeAdapter(AnyExpectation)
    return adapter.validate_python(table)


class TestRecordingFor:
    """What a run must record."""

    @pytest.mark.parametrize(
        ("table", "expected"),
        [
            ({"kind": "bound", "figure": "steps", "at_most": 1, "because": "so"}, Recording()),
            ({"kind": "stops", "reason": "completed"}, Recording()),
            ({"kind": "invariant", "name": "weights_stay_finite"}, Recording.of("state")),
            ({"kind": "matches_oracle"}, Recording.of("state", "gradients")),
            (
                {"kind": "matches_oracle", "reference": "full"},
                Recording.of("state", "gradients", "samples", "examples"),
            ),
            (
                {"kind": "unchanged_by", "quantities": ["losses", "samples"]},
                Recording.of("samples"),
            ),
            ({"kind": "unchanged_by"}, Recording.of("state")),
            ({"kind": "changed_by", "change": {"seed": 1}}, Recording.of("state")),
        ],
    )
    def test_each_kind(self, table: dict[str, Any], expected: Recording) -> None:
        """Each expectation asks for what its check reads, and for nothing else."""
        assert recording_for([expectation(**table)]) == expected

    def test_together(self) -> None:
        """Several expectations ask for all that any of them needs."""
        tables = (
            {"kind": "invariant", "name": "hooks_are_well_formed"},
            {"kind": "invariant", "name": "weights_stay_finite"},
        )
        asked = recording_for(expectation(**table) for table in tables)
        assert asked == Recording.of("hooks", "state")
        assert recording_for([]) == Recording()


class TestJudge:
    """One expectation over one run."""

    @pytest.mark.parametrize("name", sorted(registered()))
    def test_a_check_reads_what_it_asks_for(self, name: Any) -> None:
        """No check needs more than its own recording: it does not fail for want of data."""
        records = registered()[name].records
        trace = fit_trace(SPEC)
        parts: Any = {
            part: None
            for part, wanted in (
                ("state", records.state),
                ("gradients", records.gradients),
                ("examples", records.examples),
            )
            if not wanted
        }
        steps = trace.steps if records.samples else replace(trace.steps, sample_ids=None)
        events = trace.events if records.hooks else ()
        trace = replace(trace, steps=steps, events=events, **parts)
        with contextlib.suppress(NothingToJudge):
            judge(InvariantSpec(name=name), pipeline=SPEC, trace=trace)

    def test_tolerance_comes_from_the_expectation(self) -> None:
        """Without a tolerance the last bit counts."""
        trace = fit_trace(SPEC)
        logged = trace.epochs[0].logs["loss"]
        trace = with_epoch(trace, 0, logs={"loss": math.nextafter(logged, 9.0) + 1e-15})
        name: Any = "loss_log_is_sample_mean"
        exact = InvariantSpec(name=name)
        assert len(judge(exact, pipeline=SPEC, trace=trace)) == 1
        near = InvariantSpec(name=name, atol=1e-12, because="rounding")
        assert judge(near, pipeline=SPEC, trace=trace) == ()

    def test_violation_names_rule_and_source(self) -> None:
        """A violation says which rule was broken and where it is written."""
        trace = with_state(fit_trace(SPEC), "dense_0/kernel", math.nan)
        found = judge(InvariantSpec(name="weights_stay_finite"), pipeline=SPEC, trace=trace)
        assert found[0].check == "weights_stay_finite"
        assert found[0].why == (
            "Every weight of the model is a finite number after every step and after training. "
            "[003, numerical instability; 002, exploding gradients]"
        )

    def test_unknown_figure(self) -> None:
        """A figure that the trace does not have is an error of the scenario."""
        bound = BoundSpec(figure="logs.val_loss", at_most=1.0, because="so")
        with pytest.raises(HarnessUsageError, match="figure must be one that this trace has"):
            judge(bound, pipeline=SPEC, trace=fit_trace(SPEC))
