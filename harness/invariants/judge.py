"""Expectations to verdicts: the one place where they are dispatched."""

import math
from collections.abc import Iterable
from typing import assert_never

from harness.errors import HarnessUsageError
from harness.invariants import prediction, replay, symptoms
from harness.invariants.base import View, Violation, figure_of, registered, shown, view_of
from harness.spec.expectation import (
    AnyExpectation,
    BoundSpec,
    ChangedBySpec,
    InvariantSpec,
    LoweredBySpec,
    MatchesOracleSpec,
    ShowsSpec,
    StopsSpec,
    UnchangedBySpec,
    expectation_id,
)
from harness.spec.pipeline import PipelineSpec
from harness.spec.scenario import LimitsSpec
from harness.trace.recording import Recording
from harness.trace.trace import Trace

__all__ = ["judge", "judge_limits", "recording_for"]

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
            case ShowsSpec():
                records |= symptoms.records_of(expectation.symptom)
            case BoundSpec() | StopsSpec() | LoweredBySpec():
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
        case ShowsSpec():
            return _shows(expectation, View(pipeline=pipeline, trace=trace))
        case StopsSpec():
            return _stops(expectation, trace)
        case UnchangedBySpec() | ChangedBySpec() | LoweredBySpec():
            message = (
                f"{expectation.kind} must be judged over two traces, got one. Use judge_relation."
            )
            raise HarnessUsageError(message)
        case _:  # pragma: no cover
            assert_never(expectation)


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
    got = figure_of(trace, expectation.figure)
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


def _shows(expectation: ShowsSpec, view: View) -> tuple[Violation, ...]:
    found = symptoms.find_symptom(expectation.symptom, view)
    named = expectation.cause is not None and not expectation.absent
    wanted = f"{expectation.symptom} by {expectation.cause}" if named else expectation.symptom
    got = "nothing" if found is None else str(found.name)
    if found is not None and found.cause is not None:
        got = f"{got} by {found.cause}"
    right = found is not None and (not named or found.cause == expectation.cause)
    if right is not expectation.absent:
        return ()
    of_memory = expectation.symptom == "memory_leak"
    nothing = "nothing is kept" if of_memory else "the curves show nothing of it"
    seen = nothing if found is None else found.evidence
    return (
        Violation(
            check=expectation_id(expectation),
            message=f"{expectation.symptom}: {seen}",
            got=got,
            expected=f"no {expectation.symptom}" if expectation.absent else wanted,
            step=None if found is None else found.step,
            epoch=None if found is None else found.epoch,
            where="memory" if of_memory else "loss",
            why="The scenario says what this run shows",
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
