"""Runs one drawn pipeline and judges it: its end, expectations, relations and limits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from harness.errors import HarnessUsageError
from harness.invariants.base import NothingToJudge, Violation
from harness.invariants.judge import judge, judge_limits, recording_for
from harness.invariants.relations import RELATIONS, judge_relation
from harness.pipeline.backend import import_tensorflow
from harness.runner.figures import figures_of
from harness.spec.expectation import (
    ChangedBySpec,
    StopsSpec,
    expectation_id,
)
from harness.spec.paths import replaced
from harness.trace import StopReason, write_trace

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from harness.invariants.relations import Relation
    from harness.runner.figures import RunFigures
    from harness.spec.expectation import AnyExpectation
    from harness.spec.loaded import Scenario
    from harness.spec.pipeline import PipelineSpec
    from harness.trace import Stop, Trace
    from harness.trace.recording import Recording

    Train = Callable[..., Trace]
    """Trains like `run_training`: in this process, or in one of its own."""

__all__ = ["ENDING", "LIMITS", "Judged", "judge_draw", "run_training"]

LIMITS: Final = "limits"
"""The id under which broken limits are reported."""

ENDING: Final = "ending"
"""The id under which a run is reported that broke down although the scenario says nothing of it."""

_REFUSALS: Final = {"ValueError", "TypeError", "NotImplementedError"}
"""Any other error is no answer to an argument: the code broke down on it."""

_BREAKDOWNS: Final = {
    StopReason.CALLBACK_ERROR,
    StopReason.ERROR,
    StopReason.INTERRUPTED,
    StopReason.KILLED,
    StopReason.OUT_OF_MEMORY,
    StopReason.TIMED_OUT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One drawn pipeline, run and judged.

    Attributes:
        pipeline: What was run.
        broken: Violations by the id of the expectation they break; empty when all hold.
        judged: Ids of the expectations that had something to judge.
        silent: Why the others had not, by id.
        stop: Why the run ended.
        figures: What the run leaves behind for a history.
    """

    pipeline: PipelineSpec
    broken: Mapping[str, tuple[Violation, ...]]
    judged: frozenset[str]
    silent: Mapping[str, str]
    stop: Stop
    figures: RunFigures


def run_training(pipeline: PipelineSpec, recording: Recording, *, reuse: bool = True) -> Trace:
    """The trace of one run; TensorFlow is imported by the first call.

    Raises:
        PipelineError: The user must mend something before anything can run.
        MissingBackendError: There is no Keras here.
    """
    import_tensorflow()
    from harness.runner.run import run_pipeline  # noqa: PLC0415 - it takes TensorFlow to import

    return run_pipeline(pipeline, recording, reuse=reuse)


def judge_draw(
    scenario: Scenario,
    draw: Mapping[str, Any],
    pipeline: PipelineSpec,
    *,
    excused: Collection[str] = (),
    only: str | None = None,
    reuse: bool = True,
    keep: Path | None = None,
    train: Train | None = None,
) -> Judged:
    """Run a pipeline once, and once more for each relation, and judge what happened.

    A run that breaks down is a failure of its own unless the scenario says how its runs end, or a
    known issue excuses something about it: what is missing from its trace is then not judged.

    Args:
        scenario: Says what must hold.
        draw: What was drawn; relations change it further.
        pipeline: The pipeline of that draw.
        excused: Ids of expectations that a known issue excuses for this draw.
        only: Judge the expectation of this id and no other.
        reuse: Take compiled pipelines of earlier runs.
        keep: Write the trace of the run here.
        train: Makes the runs; None makes them in this process.

    Raises:
        PipelineError: The user must mend something before anything can run.
        MissingBackendError: There is no Keras here.
    """
    # What is excused or left out is recorded too: every draw then runs the same compiled step.
    recording = recording_for(scenario.spec.expect)
    train = train or run_training
    trace = train(pipeline, recording, reuse=reuse)
    if keep is not None:
        _write(trace, keep)
    broken: dict[str, tuple[Violation, ...]] = {}
    silent: dict[str, str] = {}
    broke_down = _broke_down(scenario, trace)
    chosen = _chosen(scenario, excused, only)
    if broke_down and not excused:
        broken[ENDING] = (_breakdown(trace.stop),)
        chosen = {}
    for name, expectation in chosen.items():
        try:
            if isinstance(expectation, RELATIONS):
                changed_pipeline = _changed(scenario, draw, expectation)
                changed = train(changed_pipeline, recording, reuse=reuse)
                violations = _relation(expectation, pipeline, trace, changed)
            else:
                violations = judge(expectation, pipeline=pipeline, trace=trace)
        except HarnessUsageError as error:
            if not (broke_down or isinstance(error, NothingToJudge)):
                raise
            silent[name] = str(error)
        else:
            broken |= {name: violations} if violations else {}
    # A run that was ended for its time is judged by how it ended.
    ended = trace.stop.reason is StopReason.TIMED_OUT
    beyond = () if ended else judge_limits(scenario.spec.limits, trace=trace)
    if beyond and only in {None, LIMITS}:
        broken[LIMITS] = beyond
    return Judged(
        pipeline=pipeline,
        broken=broken,
        judged=frozenset(chosen.keys() - silent.keys()),
        silent=silent,
        stop=trace.stop,
        figures=figures_of(trace),
    )


def _chosen(
    scenario: Scenario, excused: Collection[str], only: str | None
) -> dict[str, AnyExpectation]:
    named = {expectation_id(expectation): expectation for expectation in scenario.spec.expect}
    return {
        name: expectation
        for name, expectation in named.items()
        if name not in excused and only in {None, name}
    }


def _broke_down(scenario: Scenario, trace: Trace) -> bool:
    foretold = any(isinstance(expectation, StopsSpec) for expectation in scenario.spec.expect)
    return trace.stop.reason in _BREAKDOWNS and not foretold


def _breakdown(stop: Stop) -> Violation:
    return Violation(
        check=ENDING,
        message=f"The run broke down: {stop.sentence}",
        got=stop.reason.value,
        expected="a run that comes to an end of its own",
        why="A run may break down only where an expectation of kind stops says so",
        step=stop.step,
        epoch=stop.epoch,
        where="stop",
    )


def _changed(
    scenario: Scenario,
    draw: Mapping[str, Any],
    expectation: Relation,
) -> PipelineSpec:
    """The drawn pipeline with the change on top, even where the draw is inside what it changes."""
    drawn = replace(scenario, template=replaced(scenario.template, draw))
    return drawn.pipeline_for(expectation.change)


def _relation(
    expectation: Relation,
    pipeline: PipelineSpec,
    trace: Trace,
    changed: Trace,
) -> tuple[Violation, ...]:
    """Differences between two runs; where only one of them broke down, that is the difference."""
    reasons = {trace.stop.reason, changed.stop.reason}
    if isinstance(expectation, ChangedBySpec) and _refused(changed):
        return ()
    if len(reasons) == 1 or not reasons & _BREAKDOWNS:
        return judge_relation(expectation, pipeline=pipeline, trace=trace, changed=changed)
    return (
        Violation(
            check=expectation_id(expectation),
            message=f"The changed run ended otherwise: {changed.stop.sentence}",
            got=changed.stop.reason.value,
            expected=trace.stop.reason.value,
            why="A run ends alike when something changes that must not matter",
            step=changed.stop.step,
            epoch=changed.stop.epoch,
            where="stop",
        ),
    )


def _refused(trace: Trace) -> bool:
    """Whether Python's errors for what must not be asked ended a run before it did anything."""
    kind = (trace.stop.exception or "").partition(":")[0]
    return trace.stop.reason is StopReason.ERROR and len(trace.steps) == 0 and kind in _REFUSALS


def _write(trace: Trace, path: Path) -> None:
    try:
        write_trace(trace, path)
    except OSError as error:
        message = f"{path} must be a file that can be written, got {error.strerror or error}."
        raise HarnessUsageError(message) from error
