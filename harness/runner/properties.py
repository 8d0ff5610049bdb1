"""Judges a scenario over everything it draws, and shrinks what fails.

Hypothesis draws and shrinks; each expectation has an exception type of its own, so that shrinking
stays with the expectation that failed first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, Phase, given, reject, seed, settings
from hypothesis.errors import Flaky, Unsatisfiable

from harness.errors import SpecError
from harness.pipeline.backend import installed_versions
from harness.runner.found import Found
from harness.runner.judging import Judged, judge_draw
from harness.runner.profiles import Budget
from harness.runner.verdict import Failure, Outcome, Verdict
from harness.spec.expectation import expectation_id
from harness.spec.known import issue_applies, when_matches
from harness.spec.loaded import Scenario
from harness.spec.pipeline import PipelineSpec
from harness.spec.scenario import KnownIssueSpec
from harness.strategies import draws
from harness.trace import Stop

__all__ = ["judge_issue", "judge_scenario"]


class _Broken(Exception):  # noqa: N818 - a signal to Hypothesis, never seen by a user
    """Raised in the property; carries the failure out."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.expectation)
        self.failure = failure


@dataclass(slots=True)
class _Progress:
    """What has been seen so far while Hypothesis draws."""

    examples: int = 0
    judged: set[str] = field(default_factory=set)
    silent: dict[str, str] = field(default_factory=dict)
    excused: set[str] = field(default_factory=set)
    refused: str | None = None
    stop: Stop | None = None


def judge_scenario(scenario: Scenario, budget: Budget, found: Found | None = None) -> Verdict:
    """The verdict on everything a scenario draws.

    Args:
        scenario: What to judge.
        budget: How much to draw, and from where.
        found: Draws that failed before and are tried first; new ones are added.

    Raises:
        PipelineError: The user must mend something before anything can run.
        MissingBackendError: There is no Keras here.
    """
    versions = installed_versions()
    issues = [issue for issue in scenario.spec.known_issue if _applies(issue, versions)]
    progress = _Progress()

    def judge_one(draw: Mapping[str, Any]) -> Failure | None:
        pipeline = scenario.pipeline_for(draw)
        excused = _excused(issues, pipeline)
        judged = judge_draw(scenario, draw, pipeline, excused=excused)
        _note(progress, judged, excused)
        return _failure(judged, draw)

    failure, reason = _search(scenario, budget, judge_one, progress, found)
    outcome = Outcome.PASSED if failure is None else Outcome.FAILED
    if failure is None and reason is None:
        outcome, reason = _without_failure(scenario, progress)
    elif failure is None:
        outcome = Outcome.NOT_JUDGED
    return Verdict(
        scenario=scenario,
        outcome=outcome,
        failure=failure,
        reason=reason,
        examples=progress.examples,
        seed=budget.seed if scenario.spec.vary else None,
        stop=progress.stop,
        versions=versions,
    )


def judge_issue(scenario: Scenario, issue: KnownIssueSpec) -> Verdict:
    """The verdict on the example of a known issue: it must fail while the issue is there.

    On versions that the issue does not speak about, its example must pass like any other draw.

    Raises:
        PipelineError: The user must mend something before anything can run.
        MissingBackendError: There is no Keras here.
    """
    versions = installed_versions()
    pipeline = scenario.pipeline_for(issue.example)
    others = {expectation_id(expectation) for expectation in scenario.spec.expect}
    others.discard(issue.expectation)
    judged = judge_draw(scenario, issue.example, pipeline, excused=others)
    failure = _failure(judged, issue.example)
    if judged.silent:
        outcome, reason = Outcome.NOT_JUDGED, judged.silent[issue.expectation]
    elif _applies(issue, versions) and failure is None:
        installed = ", ".join(f"{name} {version}" for name, version in versions.items())
        outcome = Outcome.FIXED
        reason = (
            f"known issue {issue.id} no longer shows with {installed}: "
            f"its versions {issue.versions!r} must end before this one."
        )
    elif _applies(issue, versions):
        outcome, reason = Outcome.KNOWN_ISSUE, issue.reason
    else:
        outcome, reason = (Outcome.PASSED if failure is None else Outcome.FAILED), None
    return Verdict(
        scenario=scenario,
        outcome=outcome,
        failure=failure,
        reason=reason,
        issue=issue.id,
        examples=1,
        stop=judged.stop,
        versions=versions,
    )


def _search(
    scenario: Scenario,
    budget: Budget,
    judge_one: Callable[[Mapping[str, Any]], Failure | None],
    progress: _Progress,
    found: Found | None,
) -> tuple[Failure | None, str | None]:
    """The smallest failure there is, or why there could be none."""
    if not scenario.spec.vary:
        return judge_one({}), None
    for draw in found.draws(scenario) if found is not None else ():
        failure = judge_one(draw)
        if failure is not None:
            return failure, None
    failure, reason = _draw(scenario, budget, judge_one, progress)
    if failure is not None and found is not None:
        found.add(scenario, failure.draw)
    return failure, reason


def _draw(
    scenario: Scenario,
    budget: Budget,
    judge_one: Callable[[Mapping[str, Any]], Failure | None],
    progress: _Progress,
) -> tuple[Failure | None, str | None]:
    kinds: dict[str, type[_Broken]] = {}

    @seed(budget.seed)
    @settings(
        max_examples=budget.examples,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        print_blob=False,
        report_multiple_bugs=False,
        # Training is slow and refused draws are counted here: Hypothesis' alarms would be false.
        suppress_health_check=list(HealthCheck),
    )
    @given(draws(scenario.spec.vary))
    def holds(draw: dict[str, Any]) -> None:
        try:
            failure = judge_one(draw)
        except SpecError as error:
            progress.refused = str(error)
            reject()
        if failure is not None:
            kind = kinds.setdefault(failure.expectation, type("_Broken", (_Broken,), {}))
            raise kind(failure)

    try:
        holds()
    except _Broken as broken:
        return broken.failure, None
    except Flaky as flaky:
        return None, f"the same draw failed once and passed once: {flaky}"
    except Unsatisfiable:
        return None, f"no draw made a pipeline that can run; the last one: {progress.refused}"
    return None, None


def _note(progress: _Progress, judged: Judged, excused: set[str]) -> None:
    progress.examples += 1
    progress.judged |= judged.judged
    progress.silent |= judged.silent
    progress.excused |= excused
    progress.stop = judged.stop


def _failure(judged: Judged, draw: Mapping[str, Any]) -> Failure | None:
    for name, violations in judged.broken.items():
        return Failure(
            expectation=name,
            violations=violations,
            draw=dict(draw),
            pipeline=judged.pipeline,
            stop=judged.stop,
        )
    return None


def _without_failure(scenario: Scenario, progress: _Progress) -> tuple[Outcome, str | None]:
    """Nothing failed: whether everything was judged, excused, or could never have failed."""
    names = [expectation_id(expectation) for expectation in scenario.spec.expect]
    if not progress.examples:
        return Outcome.NOT_JUDGED, progress.refused or "nothing was drawn"
    idle = [name for name in names if name not in progress.judged]
    unable = [name for name in idle if name in progress.silent]
    if unable:
        return Outcome.NOT_JUDGED, f"{unable[0]}: {progress.silent[unable[0]]}"
    if len(idle) == len(names):
        return Outcome.KNOWN_ISSUE, f"known issues excuse all of it: {', '.join(idle)}"
    return Outcome.PASSED, None


def _applies(issue: KnownIssueSpec, versions: Mapping[str, str]) -> bool:
    return issue_applies(issue.versions, versions)


def _excused(issues: list[KnownIssueSpec], pipeline: PipelineSpec) -> set[str]:
    return {issue.expectation for issue in issues if when_matches(issue.when, pipeline)}
