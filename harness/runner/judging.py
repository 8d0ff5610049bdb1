"""Runs one drawn pipeline and judges it: expectations, relations and limits."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.invariants.base import NothingToJudge, Violation
from harness.invariants.judge import judge, judge_limits, judge_relation, recording_for
from harness.runner.run import run_pipeline
from harness.spec.expectation import AnyExpectation, UnchangedBySpec, expectation_id
from harness.spec.loaded import Scenario
from harness.spec.pipeline import PipelineSpec
from harness.trace import Stop, Trace, write_trace

__all__ = ["Judged", "judge_draw"]

LIMITS = "limits"
"""The id under which broken limits are reported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One drawn pipeline, run and judged.

    Attributes:
        pipeline: What was run.
        broken: Violations by the id of the expectation they break; empty when all hold.
        judged: Ids of the expectations that had something to judge.
        silent: Why the others had not, by id.
        stop: Why the run ended.
    """

    pipeline: PipelineSpec
    broken: Mapping[str, tuple[Violation, ...]]
    judged: frozenset[str]
    silent: Mapping[str, str]
    stop: Stop


def judge_draw(
    scenario: Scenario,
    draw: Mapping[str, Any],
    pipeline: PipelineSpec,
    *,
    excused: Collection[str] = (),
    keep: Path | None = None,
) -> Judged:
    """Run a pipeline once, and once more for each relation, and judge what happened.

    Args:
        scenario: Says what must hold.
        draw: What was drawn; relations change it further.
        pipeline: The pipeline of that draw.
        excused: Ids of expectations that a known issue excuses for this draw.
        keep: Write the trace of the run here.

    Raises:
        PipelineError: The user must mend something before anything can run.
        MissingBackendError: There is no Keras here.
    """
    expectations = [
        expectation
        for expectation in scenario.spec.expect
        if expectation_id(expectation) not in excused
    ]
    recording = recording_for(expectations)
    trace = run_pipeline(pipeline, recording)
    if keep is not None:
        write_trace(trace, keep)
    broken: dict[str, tuple[Violation, ...]] = {}
    silent: dict[str, str] = {}
    for expectation in expectations:
        name = expectation_id(expectation)
        try:
            violations = _violations(scenario, draw, pipeline, trace, expectation)
        except NothingToJudge as nothing:
            silent[name] = str(nothing)
            continue
        if violations:
            broken[name] = violations
    beyond = judge_limits(scenario.spec.limits, trace=trace)
    if beyond:
        broken[LIMITS] = beyond
    names = {expectation_id(expectation) for expectation in expectations}
    return Judged(
        pipeline=pipeline,
        broken=broken,
        judged=frozenset(names - silent.keys()),
        silent=silent,
        stop=trace.stop,
    )


def _violations(
    scenario: Scenario,
    draw: Mapping[str, Any],
    pipeline: PipelineSpec,
    trace: Trace,
    expectation: AnyExpectation,
) -> tuple[Violation, ...]:
    if not isinstance(expectation, UnchangedBySpec):
        return judge(expectation, pipeline=pipeline, trace=trace)
    changed_pipeline = scenario.pipeline_for({**draw, **expectation.change})
    changed = run_pipeline(changed_pipeline, recording_for([expectation]))
    return judge_relation(expectation, pipeline=pipeline, trace=trace, changed=changed)
