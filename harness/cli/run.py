"""What `harness run` does: judge whole scenarios, or one draw again."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from harness.cli.status import FAILED, NOT_JUDGED, PASSED, worst
from harness.errors import HarnessUsageError
from harness.isolation.training import training_for
from harness.pipeline.backend import installed_versions
from harness.runner.explain import explain, one_line
from harness.runner.judging import judge_draw
from harness.runner.profiles import budget_for
from harness.runner.properties import (
    excuses,
    failure_of,
    issues_in_force,
    judge_issue,
    judge_scenario,
)
from harness.runner.verdict import Outcome, Verdict
from harness.spec.loader import load_scenario

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["run_draw", "run_file"]

_STATUS = {
    Outcome.PASSED: PASSED,
    Outcome.KNOWN_ISSUE: PASSED,
    Outcome.FAILED: FAILED,
    Outcome.FIXED: FAILED,
    Outcome.NOT_JUDGED: NOT_JUDGED,
    Outcome.SKIPPED: NOT_JUDGED,
}


def run_file(file: Path, profile: str, seed: int | None) -> int:
    """Judge everything a scenario draws, and its known issues; returns the exit status."""
    scenario = load_scenario(file)
    if not scenario.spec.expect:
        print(f"only measured  {scenario.area}/{scenario.id}: use `harness benchmark {file}`")
        return PASSED
    train = training_for(scenario)
    statuses = [_tell(judge_scenario(scenario, budget_for(scenario, profile, seed), train=train))]
    statuses += [
        _tell(judge_issue(scenario, issue, train=train)) for issue in scenario.spec.known_issue
    ]
    return worst(statuses)


def run_draw(file: Path, text: str | None, trace: Path | None) -> int:
    """Run one draw, judge all of it, and keep its trace if asked to; returns the exit status.

    What a known issue excuses is judged and told too, but is no failure.
    """
    scenario = load_scenario(file)
    draw = _parsed(text)
    pipeline = scenario.pipeline_for(draw)
    judged = judge_draw(scenario, draw, pipeline, keep=trace, train=training_for(scenario))
    if trace is not None:
        print(f"trace written to {trace}")
    versions = installed_versions()
    known = excuses(issues_in_force(scenario, versions), pipeline)
    statuses = [PASSED]
    for name in judged.broken:
        issue = known.get(name)
        verdict = Verdict(
            scenario=scenario,
            outcome=Outcome.FAILED if issue is None else Outcome.KNOWN_ISSUE,
            failure=failure_of(judged, draw, name),
            reason=None if issue is None else issue.reason,
            issue=None if issue is None else issue.id,
            stop=judged.stop,
            versions=versions,
        )
        print(f"{one_line(verdict)}\n\n{explain(verdict)}\n")
        statuses.append(_STATUS[verdict.outcome])
    if not (judged.broken or judged.silent):
        print(f"passed  {scenario.area}/{scenario.id}: {judged.stop.sentence}")
    for name, why in judged.silent.items():
        print(f"{name} had nothing to judge: {why}", file=sys.stderr)
        statuses.append(NOT_JUDGED)
    return worst(statuses)


def _tell(verdict: Verdict) -> int:
    print(one_line(verdict))
    if verdict.outcome not in {Outcome.PASSED, Outcome.KNOWN_ISSUE}:
        print(f"\n{explain(verdict)}\n")
    return _STATUS[verdict.outcome]


def _parsed(text: str | None) -> Mapping[str, Any]:
    try:
        draw = json.loads(text) if text is not None else {}
    except ValueError as error:
        message = f"--draw must be JSON, got {text!r}: {error}."
        raise HarnessUsageError(message) from error
    if not isinstance(draw, dict):
        message = f"--draw must be a JSON object of dotted keys, got {text!r}."
        raise HarnessUsageError(message)
    return draw
