"""What `harness run` does: judge whole scenarios, or one draw again."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessUsageError
from harness.runner.explain import explain, one_line
from harness.runner.judging import judge_draw
from harness.runner.profiles import budget_for
from harness.runner.properties import judge_issue, judge_scenario
from harness.runner.verdict import Failure, Outcome, Verdict
from harness.spec.loader import load_scenario

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["run_draw", "run_file"]

_STATUS = {
    Outcome.PASSED: 0,
    Outcome.KNOWN_ISSUE: 0,
    Outcome.FAILED: 1,
    Outcome.FIXED: 1,
    Outcome.NOT_JUDGED: 2,
}


def run_file(file: Path, profile: str, seed: int | None) -> int:
    """Judge everything a scenario draws, and its known issues; returns the exit status."""
    scenario = load_scenario(file)
    verdicts = [judge_scenario(scenario, budget_for(scenario, profile, seed))]
    verdicts += [judge_issue(scenario, issue) for issue in scenario.spec.known_issue]
    return max(_tell(verdict) for verdict in verdicts)


def run_draw(file: Path, text: str | None, trace: Path | None) -> int:
    """Run one draw, judge it without excuses, and keep its trace if asked to."""
    scenario = load_scenario(file)
    draw = _parsed(text)
    pipeline = scenario.pipeline_for(draw)
    judged = judge_draw(scenario, draw, pipeline, keep=trace)
    if trace is not None:
        print(f"trace written to {trace}")
    status = 0
    for name, violations in judged.broken.items():
        failure = Failure(
            expectation=name,
            violations=violations,
            draw=draw,
            pipeline=pipeline,
            stop=judged.stop,
        )
        verdict = Verdict(
            scenario=scenario, outcome=Outcome.FAILED, failure=failure, stop=judged.stop
        )
        status = max(status, _tell(verdict))
    if not judged.broken:
        print(f"passed  {scenario.area}/{scenario.id}: {judged.stop.sentence}")
    for name, why in judged.silent.items():
        print(f"{name} had nothing to judge: {why}", file=sys.stderr)
        status = max(status, _STATUS[Outcome.NOT_JUDGED])
    return status


def _tell(verdict: Verdict) -> int:
    print(one_line(verdict))
    if verdict.outcome not in (Outcome.PASSED, Outcome.KNOWN_ISSUE):
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
