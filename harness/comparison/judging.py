"""Runs in the environment under test: judges a scenario there and writes down what came out."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.comparison.answering import answer_and_end
from harness.comparison.verdicts import PROPERTY, Finding, Mark, Probe
from harness.errors import HarnessError, MissingBackendError
from harness.pipeline.backend import installed_versions
from harness.runner.explain import explain, one_line
from harness.runner.judging import ENDING, judge_draw
from harness.runner.profiles import budget_for
from harness.runner.properties import failure_of, judge_issue, judge_scenario
from harness.runner.required import missing_requirement
from harness.runner.verdict import Outcome, Verdict
from harness.spec.loader import load_scenario

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.spec.loaded import Scenario

__all__ = ["findings", "judge"]

_MARKS = {
    Outcome.PASSED: Mark.GOOD,
    Outcome.FIXED: Mark.GOOD,
    Outcome.FAILED: Mark.BAD,
    Outcome.KNOWN_ISSUE: Mark.BAD,
    Outcome.NOT_JUDGED: Mark.SKIP,
    Outcome.SKIPPED: Mark.SKIP,
}


def judge(request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to one request: findings and versions, or what is missing."""
    try:
        versions = installed_versions()
        scenario = load_scenario(Path(request["scenario"]))
        probes = [Probe(**probe) for probe in request["probes"] or ()]
        found = findings(scenario, probes, request["profile"], versions)
    except MissingBackendError as error:
        return {"missing": f"does not import: {error.__cause__ or error}"}
    except HarnessError as error:
        return {"missing": f"cannot run it: {error}"}
    return {
        "findings": [finding.to_json() for finding in found],
        "versions": {**versions, **_distributions(request["packages"])},
    }


def findings(
    scenario: Scenario, probes: Sequence[Probe], profile: str, versions: Mapping[str, str]
) -> tuple[Finding, ...]:
    """What the installed stack makes of these items; of all items where none is named."""
    if probes:
        return tuple(_probed(scenario, probe, versions) for probe in probes)
    return tuple(_judged(scenario, profile))


def _judged(scenario: Scenario, profile: str) -> Iterator[Finding]:
    yield _finding(PROPERTY, judge_scenario(scenario, budget_for(scenario, profile, None)))
    for issue in scenario.spec.known_issue:
        yield _finding(f"known_issue[{issue.id}]", judge_issue(scenario, issue))


def _finding(item: str, verdict: Verdict) -> Finding:
    """A known issue that shows is bad, whatever excuses it."""
    failure = verdict.failure
    mark = _MARKS[verdict.outcome]
    reason = one_line(verdict)
    if mark is Mark.BAD and failure is None:
        # Every draw is excused: the known issues themselves are judged one by one.
        mark = Mark.SKIP
    if verdict.unstable:
        mark, reason = Mark.SKIP, f"{reason}, which does not repeat"
    return Finding(
        item=item,
        mark=mark,
        reason=reason,
        text=explain(verdict) if mark is Mark.BAD else "",
        draw=None if failure is None else failure.draw,
        expectation=None if failure is None else failure.expectation,
    )


def _probed(scenario: Scenario, probe: Probe, versions: Mapping[str, str]) -> Finding:
    """Whether one draw breaks one expectation; known issues excuse nothing here."""
    missing = missing_requirement(scenario, versions)
    if missing is not None:
        return Finding(item=probe.item, mark=Mark.SKIP, reason=missing)
    draw = probe.draw or {}
    only = None if probe.expectation == ENDING else probe.expectation
    judged = judge_draw(scenario, draw, scenario.pipeline_for(draw), only=only)
    name = probe.expectation or ""
    failure = failure_of(judged, draw, name)
    if failure is not None:
        verdict = Verdict(
            scenario=scenario,
            outcome=Outcome.FAILED,
            failure=failure,
            examples=1,
            stop=judged.stop,
            versions=versions,
        )
        return _finding(probe.item, verdict)
    if ENDING in judged.broken:
        reason = f"it breaks down there: {judged.stop.sentence}"
        return Finding(item=probe.item, mark=Mark.SKIP, reason=reason)
    if name in judged.silent:
        reason = f"nothing to judge: {judged.silent[name]}"
        return Finding(item=probe.item, mark=Mark.SKIP, reason=reason)
    return Finding(item=probe.item, mark=Mark.GOOD, reason=f"{name} holds")


def _distributions(names: Sequence[str]) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    answer_and_end(judge)
