"""The verdict on everything a scenario draws, and on the known issues that it shows."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from harness.errors import SpecError
from harness.pipeline.backend import installed_versions
from harness.runner.exploring import Excused, explore
from harness.runner.judging import judge_draw
from harness.runner.required import missing_requirement
from harness.runner.verdict import Failure, Outcome, Verdict
from harness.spec.expectation import expectation_id
from harness.spec.known import issue_applies, when_matches

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.runner.found import Found
    from harness.runner.judging import Judged, Train
    from harness.runner.profiles import Budget
    from harness.spec.loaded import Scenario
    from harness.spec.pipeline import PipelineSpec
    from harness.spec.scenario import KnownIssueSpec
    from harness.trace import Stop

__all__ = ["excuses", "failure_of", "issues_in_force", "judge_issue", "judge_scenario"]

_FEWEST_SHARE: Final = 0.1
"""Of the draws that are tried, at least this share must make a pipeline that can run."""

_FEW: Final = 10
"""Fewer refused draws than this say nothing about the share."""


def judge_scenario(
    scenario: Scenario,
    budget: Budget,
    found: Found | None = None,
    *,
    train: Train | None = None,
) -> Verdict:
    """The verdict on everything a scenario draws.

    Args:
        scenario: What to judge.
        budget: How much to draw, and from where.
        found: Draws that failed before and are tried first; new ones are added.
        train: Makes the runs; None makes them in this process.

    Raises:
        PipelineError: The user must mend something before anything can run.
        MissingBackendError: There is no Keras here.
    """
    versions = installed_versions()
    if (missing := missing_requirement(scenario, versions)) is not None:
        return Verdict(
            scenario=scenario, outcome=Outcome.SKIPPED, reason=missing, versions=versions
        )
    trial = _Trial(scenario, issues_in_force(scenario, versions), train=train)
    failure = _failure_in(trial, budget, found)
    verdict = Verdict(
        scenario=scenario,
        outcome=Outcome.PASSED,
        examples=trial.examples,
        seed=budget.seed if scenario.spec.vary else None,
        stop=trial.stop,
        versions=versions,
    )
    if failure is None:
        outcome, reason = trial.outcome()
        return replace(verdict, outcome=outcome, reason=reason)
    if not scenario.spec.vary:
        return replace(verdict, outcome=Outcome.FAILED, failure=failure)
    repeated = trial.repeat(failure)
    if found is not None and repeated is not None:
        found.add(scenario, failure.draw)
    return replace(
        verdict,
        outcome=Outcome.FAILED,
        failure=repeated or failure,
        unstable=repeated is None,
    )


def judge_issue(
    scenario: Scenario, issue: KnownIssueSpec, *, train: Train | None = None
) -> Verdict:
    """The verdict on the example of a known issue: it must fail while the issue is there.

    On versions that the issue does not speak about, its example must pass like any other draw.

    Args:
        scenario: What it is an issue of.
        issue: What to judge.
        train: Makes the runs; None makes them in this process.

    Raises:
        PipelineError: The user must mend something before anything can run.
        MissingBackendError: There is no Keras here.
    """
    versions = installed_versions()
    if (missing := missing_requirement(scenario, versions)) is not None:
        return Verdict(
            scenario=scenario,
            outcome=Outcome.SKIPPED,
            reason=missing,
            issue=issue.id,
            versions=versions,
        )
    pipeline = scenario.pipeline_for(issue.example)
    judged = judge_draw(scenario, issue.example, pipeline, only=issue.expectation, train=train)
    failure = failure_of(judged, issue.example)
    in_force = issues_in_force(scenario, versions)
    excuse = excuses(in_force, pipeline).get(issue.expectation)
    outcome, reason = Outcome.PASSED, None
    if judged.silent:
        outcome, reason = Outcome.NOT_JUDGED, judged.silent[issue.expectation]
    elif issue in in_force and failure is None:
        outcome, reason = Outcome.FIXED, _no_longer(issue, versions)
    elif failure is not None and excuse is not None:
        outcome, reason = Outcome.KNOWN_ISSUE, (issue if issue in in_force else excuse).reason
    elif failure is not None:
        outcome = Outcome.FAILED
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


def issues_in_force(scenario: Scenario, versions: Mapping[str, str]) -> list[KnownIssueSpec]:
    """The known issues of a scenario that speak about what is installed."""
    return [issue for issue in scenario.spec.known_issue if issue_applies(issue.versions, versions)]


def excuses(issues: Sequence[KnownIssueSpec], pipeline: PipelineSpec) -> dict[str, KnownIssueSpec]:
    """The issue that excuses an expectation for one pipeline, by the id of the expectation."""
    return {issue.expectation: issue for issue in issues if when_matches(issue.when, pipeline)}


def failure_of(
    judged: Judged, draw: Mapping[str, Any], expectation: str | None = None
) -> Failure | None:
    """The failure of a judged draw: of the expectation asked for, else of the first broken one."""
    name = expectation or next(iter(judged.broken), None)
    if name is None or name not in judged.broken:
        return None
    return Failure(
        expectation=name,
        violations=judged.broken[name],
        draw=dict(draw),
        pipeline=judged.pipeline,
        stop=judged.stop,
        also=tuple(other for other in judged.broken if other != name),
    )


@dataclass(slots=True)
class _Trial:
    """Judges draws of one scenario and remembers what could be said about them.

    Attributes:
        scenario: What is judged.
        issues: Known issues in force.
        examples: Draws that were run and judged.
        judged: Ids of expectations that had something to judge.
        silent: Why an expectation had nothing to judge, by id.
        excused: Reason by id of an expectation that was left out at some draw.
        refused: Why draws make no pipeline that can run.
        stop: Why the last run ended.
        train: Makes the runs.
    """

    scenario: Scenario
    issues: list[KnownIssueSpec]
    train: Train | None = None
    examples: int = 0
    judged: set[str] = field(default_factory=set)
    silent: dict[str, str] = field(default_factory=dict)
    excused: dict[str, KnownIssueSpec] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    stop: Stop | None = None

    @property
    def names(self) -> list[str]:
        """Ids of the expectations."""
        return [expectation_id(expectation) for expectation in self.scenario.spec.expect]

    def try_draw(self, draw: Mapping[str, Any], only: str | None = None) -> Failure | None:
        """The failure of one draw, if it fails.

        Raises:
            Excused: Known issues excuse everything about it.
            SpecError: It makes no pipeline that can run.
        """
        pipeline = self.scenario.pipeline_for(draw)
        excused = excuses(self.issues, pipeline)
        self.excused |= excused
        limits = self.scenario.spec.limits
        if excused.keys() >= set(self.names) and not limits.model_fields_set:
            raise Excused
        judged = judge_draw(
            self.scenario, draw, pipeline, excused=excused, only=only, train=self.train
        )
        self.examples += 1
        self.judged |= judged.judged
        self.silent |= judged.silent
        self.stop = judged.stop
        return failure_of(judged, draw, only)

    def repeat(self, failure: Failure) -> Failure | None:
        """The same failure from a fresh pipeline, as a replay will see it; None if it passes."""
        excused = excuses(self.issues, failure.pipeline)
        judged = judge_draw(
            self.scenario,
            failure.draw,
            failure.pipeline,
            excused=excused,
            reuse=False,
            train=self.train,
        )
        return failure_of(judged, failure.draw, failure.expectation)

    def outcome(self) -> tuple[Outcome, str | None]:
        """Where nothing failed: whether all was judged, excused, or could not have failed."""
        refused = len(self.refused)
        tried = refused + self.examples
        if (
            refused
            and (not self.examples or refused >= _FEW)
            and (self.examples < _FEWEST_SHARE * tried)
        ):
            share = f"{self.examples} of {tried} draws make a pipeline that can run"
            return Outcome.NOT_JUDGED, f"only {share}. The first that does not: {self.refused[0]}"
        idle = [name for name in self.names if name not in self.judged]
        for name in idle:
            if name in self.silent:
                reason = f"{name} has nothing to judge in any run: {self.silent[name]}"
                return Outcome.NOT_JUDGED, reason
        if idle == self.names and self.excused:
            issues = {issue.id: issue.reason for issue in self.excused.values()}
            reasons = (f"{name}: {reason}" for name, reason in issues.items())
            return Outcome.KNOWN_ISSUE, f"known issues excuse all of it. {' '.join(reasons)}"
        if not self.examples:
            return Outcome.NOT_JUDGED, "nothing was drawn"
        return Outcome.PASSED, None


def _failure_in(trial: _Trial, budget: Budget, found: Found | None) -> Failure | None:
    """The smallest failure there is: the only run's, an old one's, or a new one's."""
    if not trial.scenario.spec.vary:
        try:
            return trial.try_draw({})
        except Excused:
            return None
    for draw in found.draws(trial.scenario) if found is not None else ():
        try:
            failure = trial.try_draw(draw)
        except (SpecError, Excused):
            continue
        if failure is not None:
            return failure
    exploration = explore(trial.scenario, budget, trial.try_draw)
    trial.refused += exploration.refused.values()
    return exploration.failure


def _no_longer(issue: KnownIssueSpec, versions: Mapping[str, str]) -> str:
    package = re.match(r"[A-Za-z0-9_.-]+", issue.versions)
    name = "" if package is None else package[0].lower()
    installed = f"{name} {versions.get(name, '')}".strip()
    return (
        f"Known issue {issue.id} no longer shows on {installed}. "
        f"Remove it, or narrow its versions {issue.versions!r} so that they end before."
    )
