"""Scenario files as collectors: one item for what a scenario draws, one for each known issue."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import HarnessError, SpecError
from harness.plugin.garbage import collected_seldom
from harness.plugin.options import HarnessOptions
from harness.plugin.remembering import remember
from harness.plugin.summary import broken_file_properties, verdict_properties

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.runner.verdict import Verdict
    from harness.spec.loaded import Scenario
    from harness.spec.scenario import KnownIssueSpec

__all__ = ["BrokenFileItem", "IssueItem", "ScenarioFailed", "ScenarioFile", "ScenarioItem"]


class ScenarioFailed(Exception):  # noqa: N818 - what a person reads is the verdict's text
    """A verdict that is neither a pass nor a known issue; its text is the whole message."""


class ScenarioFile(pytest.File):
    """One scenario file. What is wrong with it is one error without traceback."""

    def collect(self) -> Iterator[pytest.Item]:
        """The items of a file; of one that breaks rules, a single item that fails.

        One collection error would keep pytest from running anything at all, the good scenarios
        too. Only where nothing is run anyway it is the right answer.

        Raises:
            pytest.Collector.CollectError: The file breaks rules, with ``--collect-only``.
        """
        from harness.spec.loader import load_scenario

        try:
            scenario = load_scenario(_shown(self.path, self.config))
        except SpecError as error:
            if self.config.option.collectonly:
                raise self.CollectError(str(error)) from None
            yield BrokenFileItem.from_parent(self, name="file", error=error)
            return
        if scenario.spec.expect:
            yield ScenarioItem.from_parent(self, name="property", scenario=scenario)
        if scenario.spec.benchmark is not None:
            from harness.plugin.benchmarks import benchmark_item

            yield benchmark_item(self, scenario)
        for issue in scenario.spec.known_issue:
            yield IssueItem.from_parent(
                self, name=f"known_issue[{issue.id}]", scenario=scenario, issue=issue
            )


class BrokenFileItem(pytest.Item):
    """What is wrong with a scenario file."""

    def __init__(self, *, error: SpecError, **kwargs: Any) -> None:
        """Take what pytest gives, and what is wrong."""
        super().__init__(**kwargs)
        self.error = error

    def runtest(self) -> None:
        """Fail.

        Raises:
            SpecError: Every problem of the file.
        """
        self.user_properties += broken_file_properties(self.error)
        raise self.error

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The problems of the file, one a line."""
        return _without_traceback(excinfo) or super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the item is from; without a line pytest could not skip it by a mark."""
        return self.path, 0, f"{_shown(self.path, self.config)} is not a scenario"


class ScenarioItem(pytest.Item):
    """Everything that a scenario draws."""

    def __init__(self, *, scenario: Scenario, **kwargs: Any) -> None:
        """Take what pytest gives, and the scenario."""
        super().__init__(**kwargs)
        self.scenario = scenario

    def runtest(self) -> None:
        """Run, judge, and raise unless all is well.

        Raises:
            ScenarioFailed: An expectation is broken, or could not be judged.
        """
        with collected_seldom(), warnings.catch_warnings():
            # The trace keeps what a training warns of; `-W error` of other tests must not end it.
            warnings.simplefilter("default")
            verdict = self._verdict()
        self.user_properties += verdict_properties(verdict)
        remember(self, verdict)
        outcome = verdict.outcome.value
        if outcome == "known_issue":
            pytest.xfail(verdict.reason or "")
        if outcome == "skipped":
            pytest.skip(verdict.reason or "")
        if outcome != "passed":
            from harness.runner.explain import explain

            raise ScenarioFailed(explain(verdict))

    def _verdict(self) -> Verdict:
        """The verdict; what keeps it from being reached is a verdict too."""
        from harness.pipeline.backend import cannot_observe
        from harness.runner.verdict import Outcome, Verdict

        try:
            if (reason := cannot_observe()) is not None:
                return Verdict(scenario=self.scenario, outcome=Outcome.SKIPPED, reason=reason)
            return self.judge()
        except HarnessError as error:
            reason = "\n".join([str(error), *getattr(error, "__notes__", ())])
            return Verdict(scenario=self.scenario, outcome=Outcome.NOT_JUDGED, reason=reason)

    def judge(self) -> Verdict:
        """The verdict of this item."""
        from harness.isolation.training import training_for
        from harness.runner.found import Found
        from harness.runner.profiles import budget_for
        from harness.runner.properties import judge_scenario

        options = HarnessOptions.of(self.config)
        budget = budget_for(self.scenario, options.profile, options.seed)
        found = Found(options.found) if options.profile == "thorough" else None
        return judge_scenario(self.scenario, budget, found, train=training_for(self.scenario))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Our text for what the user can act on, a traceback for what is our own fault."""
        return _without_traceback(excinfo) or super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the item is from, and its title."""
        return self.path, 0, f"{self.scenario.spec.title} ({self.name})"


class IssueItem(ScenarioItem):
    """The example of a known issue: an expected failure for as long as the issue is there."""

    def __init__(self, *, issue: KnownIssueSpec, **kwargs: Any) -> None:
        """Take what pytest gives, the scenario and the issue."""
        super().__init__(**kwargs)
        self.issue = issue

    def judge(self) -> Verdict:
        """The verdict on the issue's example."""
        from harness.isolation.training import training_for
        from harness.runner.properties import judge_issue

        return judge_issue(self.scenario, self.issue, train=training_for(self.scenario))


def _without_traceback(excinfo: pytest.ExceptionInfo[BaseException]) -> str | None:
    """The text of an error that is meant for the user."""
    return str(excinfo.value) if isinstance(excinfo.value, ScenarioFailed | HarnessError) else None


def _shown(path: Path, config: pytest.Config) -> Path:
    """The path as a person would type it from where they stand."""
    here = config.invocation_params.dir
    return path.relative_to(here) if path.is_relative_to(here) else path
