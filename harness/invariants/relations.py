"""Two runs of one pipeline, the second with something changed: what they say about it."""

from harness.invariants.base import Reason, Violation, figure_of, shown, view_of
from harness.spec.expectation import (
    ChangedBySpec,
    LoweredBySpec,
    UnchangedBySpec,
    expectation_id,
)
from harness.spec.pipeline import PipelineSpec
from harness.trace.comparison import compare_traces
from harness.trace.trace import Trace

__all__ = ["RELATIONS", "Relation", "judge_relation"]

Relation = UnchangedBySpec | ChangedBySpec | LoweredBySpec

RELATIONS = (UnchangedBySpec, ChangedBySpec, LoweredBySpec)
"""The expectations that take two runs."""


def judge_relation(
    expectation: Relation,
    *,
    pipeline: PipelineSpec,
    trace: Trace,
    changed: Trace,
) -> tuple[Violation, ...]:
    """Return what a relation between a run and a changed one finds wrong.

    Of ``unchanged_by``, where the two differ; of ``changed_by``, that they do not; of
    ``lowered_by``, that the figure is not as low as it should be.

    Args:
        expectation: What was changed, and what is compared.
        pipeline: The pipeline before the change.
        trace: The run before the change: what is expected.
        changed: The run after it.

    Raises:
        HarnessUsageError: A quantity was not recorded in one of the runs.
    """
    changes = ", ".join(f"{key} = {value!r}" for key, value in expectation.change.items())
    if isinstance(expectation, LoweredBySpec):
        return _lowered(expectation, changes, trace, changed)
    view = view_of(expectation, pipeline, changed)
    mismatches = compare_traces(
        changed,
        trace,
        quantities=expectation.quantities,
        atol=expectation.atol,
        rtol=expectation.rtol,
    )
    if isinstance(expectation, ChangedBySpec):
        return () if mismatches else (_without_effect(expectation, changes),)
    reason = Reason(
        check=expectation_id(expectation),
        why=f"A run is unchanged by {changes or 'running it again'}",
    )
    return tuple(view.numeric(reason, mismatch) for mismatch in mismatches)


def _without_effect(expectation: ChangedBySpec, changes: str) -> Violation:
    compared = ", ".join(expectation.quantities)
    return Violation(
        check=expectation_id(expectation),
        message=f"{changes} is accepted and has no effect: {compared} are as without it",
        got="the same run",
        expected="another run, or a refusal before the first step",
        where=", ".join(expectation.change),
        why="An argument that is accepted has an effect where the run was built to show it",
    )


def _lowered(
    expectation: LoweredBySpec, changes: str, trace: Trace, changed: Trace
) -> tuple[Violation, ...]:
    before = figure_of(trace, expectation.figure)
    after = figure_of(changed, expectation.figure)
    most = expectation.to_at_most * before
    if after <= most:  # and NaN is not
        return ()
    return (
        Violation(
            check=expectation_id(expectation),
            message=f"{changes} leaves {expectation.figure} at {shown(after)}, of {shown(before)}",
            got=shown(after),
            expected=f"at most {shown(most)}",
            where=expectation.figure,
            why=expectation.because,
        ),
    )
