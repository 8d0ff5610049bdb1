"""Expectations to verdicts: the one place where they are dispatched."""

import math
from collections.abc import Iterable
from typing import assert_never

from harness.errors import HarnessUsageError
from harness.invariants import prediction, replay
from harness.invariants.base import Reason, View, Violation, registered, shown
from harness.spec.expectation import (
    AnyExpectation,
    BoundSpec,
    ChangedBySpec,
    InvariantSpec,
    MatchesOracleSpec,
    StopsSpec,
    Tolerance,
    UnchangedBySpec,
    expectation_id,
)
from harness.spec.pipeline import PipelineSpec
from harness.spec.scenario import LimitsSpec
from harness.trace.comparison import compare_traces
from harness.trace.recording import Recording
from harness.trace.trace import Trace

__all__ = ["judge", "judge_limits", "judge_relation", "recording_for"]

_RELATION_RECORDS = {
    # Norms of recorded gradients are exact, others are summed in the gradients' own precision.
    "gradient_norms": Recording.of("gradients"),
    "samples": Recording.of("samples"),
    "weights": Recording.of("state"),
    "slots": Recording.of("state"),
    "counters": Recording.of("state"),
    "state": Recording.of("state"),
}
"""What the quantities of a relation need beyond what is always recorded."""


def recording_for(expectations: Iterable[AnyExpectation]) -> Recording:
    """Return everything that a run must record for these expectations to be judged."""
    records = Recording()
    for expectation in expectations:
        match expectation:
            case InvariantSpec():
                records |= registered()[expectation.name].records
            case MatchesOracleSpec(reference="full"):
                records |= prediction.RECORDS
            case MatchesOracleSpec():
                records |= replay.RECORDS
            case UnchangedBySpec() | ChangedBySpec():
                for quantity in expectation.quantities:
                    records |= _RELATION_RECORDS.get(quantity, Recording())
            case BoundSpec() | StopsSpec():
                pass
            case _:  # pragma: no cover
                assert_never(expectation)
    return records


def judge(
    expectation: AnyExpectation, *, pipeline: PipelineSpec, trace: Trace
) -> tuple[Violation, ...]:
    """Return where one run breaks one expectation, the first wrong step first.

    Args:
        expectation: Any but a relation, which takes two runs; see `judge_relation`.
        pipeline: What was asked for.
        trace: What happened.

    Raises:
        NothingToJudge: The expectation could not fail, whatever the run had done.
        HarnessUsageError: The trace lacks what the expectation needs, or it is a relation.
    """
    match expectation:
        case InvariantSpec():
            check = registered()[expectation.name].check
            return check(view_of(expectation, pipeline, trace))
        case MatchesOracleSpec(reference="full"):
            return prediction.check_reference(view_of(expectation, pipeline, trace))
        case MatchesOracleSpec():
            return replay.check_replay(view_of(expectation, pipeline, trace))
        case BoundSpec():
            return _bound(expectation, trace)
        case StopsSpec():
            return _stops(expectation, trace)
        case UnchangedBySpec() | ChangedBySpec():
            message = (
                f"{expectation.kind} must be judged over two traces, got one. Use judge_relation."
            )
            raise HarnessUsageError(message)
        case _:  # pragma: no cover
            assert_never(expectation)


def view_of(expectation: Tolerance, pipeline: PipelineSpec, trace: Trace) -> View:
    """Return the view of a run that an expectation takes: with its tolerance, and no other."""
    return View(
        pipeline=pipeline,
        trace=trace,
        atol=expectation.atol,
        rtol=expectation.rtol,
        because=expectation.because,
    )


def judge_relation(
    expectation: UnchangedBySpec | ChangedBySpec,
    *,
    pipeline: PipelineSpec,
    trace: Trace,
    changed: Trace,
) -> tuple[Violation, ...]:
    """Return what a relation between a run and a changed one finds wrong.

    Of ``unchanged_by``, where the two differ; of ``changed_by``, that they do not.

    Args:
        expectation: What was changed, and what is compared.
        pipeline: The pipeline before the change.
        trace: The run before the change: what is expected.
        changed: The run after it.

    Raises:
        HarnessUsageError: A quantity was not recorded in one of the runs.
    """
    view = view_of(expectation, pipeline, changed)
    changes = ", ".join(f"{key} = {value!r}" for key, value in expectation.change.items())
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


def judge_limits(limits: LimitsSpec, *, trace: Trace) -> tuple[Violation, ...]:
    """Return where a run cost more than it may."""
    found = []
    for figure in ("peak_rss_bytes", "wall_seconds"):
        most = getattr(limits, figure)
        got = trace.figure(figure)
        if most is not None and not got <= most:
            found.append(
                Violation(
                    check=f"limits.{figure}",
                    message=f"{figure} is {shown(got)}, the limit is {shown(most)}",
                    got=shown(got),
                    expected=f"at most {shown(most)}",
                    where=figure,
                    why=f"limits.{figure} of the scenario",
                )
            )
    return tuple(found)


def _bound(expectation: BoundSpec, trace: Trace) -> tuple[Violation, ...]:
    got = trace.figure(expectation.figure)
    low, high = expectation.at_least, expectation.at_most
    too_low = low is not None and not got >= low
    too_high = high is not None and not got <= high
    if not (too_low or too_high):
        return ()
    sides = (("at least", low), ("at most", high))
    bounds = " and ".join(f"{side} {shown(value)}" for side, value in sides if value is not None)
    beyond = "no number" if math.isnan(got) else "below" if too_low else "above"
    return (
        Violation(
            check=expectation_id(expectation),
            message=f"{expectation.figure} is {shown(got)}: {beyond}, it must be {bounds}",
            got=shown(got),
            expected=bounds,
            where=expectation.figure,
            why=expectation.because,
        ),
    )


def _stops(expectation: StopsSpec, trace: Trace) -> tuple[Violation, ...]:
    stop, evidence = trace.stop, expectation.evidence
    right = stop.reason.value == expectation.reason
    if right and (evidence is None or evidence in stop.sentence):
        return ()
    wanted = expectation.reason if evidence is None else f"{expectation.reason} ({evidence})"
    return (
        Violation(
            check=expectation_id(expectation),
            message=f"training ended for another reason: {stop.sentence}",
            got=stop.reason.value if not right else f"{stop.reason.value} ({stop.evidence})",
            expected=wanted,
            step=stop.step,
            epoch=stop.epoch,
            where="stop",
            why="The scenario says how this run ends",
        ),
    )
