"""Scenario files as collectors: one item for what a scenario draws, one for each known issue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import HarnessError, SpecError
from harness.plugin.options import HarnessOptions
from harness.plugin.summary import PROPERTIES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _pytest._code.code import ExceptionInfo, TerminalRepr

    from harness.runner.verdict import Verdict
    from harness.spec.loaded import Scenario
    from harness.spec.scenario import KnownIssueSpec

__all__ = ["IssueItem", "ScenarioFailed", "ScenarioFile", "ScenarioItem"]


class ScenarioFailed(Exception):  # noqa: N818 - what a person reads is the verdict's text
    """A verdict that is neither a pass nor a known issue; its text is the whole message."""


class ScenarioFile(pytest.File):
    """One scenario file. What is wrong with it is one collection error without traceback."""

    def collect(self) -> Iterator[pytest.Item]:
        """The items of a file.

        Raises:
            pytest.Collector.CollectError: The file breaks rules; the text has all of them.
        """
        from harness.spec.loader import load_scenario

        try:
            scenario = load_scenario(_shown(self.path, self.config))
        except SpecError as error:
            raise self.CollectError(str(error)) from None
        yield ScenarioItem.from_parent(self, name="property", scenario=scenario)
        for issue in scenario.spec.known_issue:
            yield IssueItem.from_parent(
                self, name=f"known_issue[{issue.id}]", scenario=scenario, issue=issue
            )


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
        verdict = self.judge()
        self.user_properties += PROPERTIES.of(verdict)
        outcome = verdict.outcome.value
        if outcome == "known_issue":
            pytest.xfail(verdict.reason or "")
        if outcome != "passed":
            from harness.runner.explain import explain

            raise ScenarioFailed(explain(verdict))

    def judge(self) -> Verdict:
        """The verdict of this item."""
        from harness.runner.found import Found
        from harness.runner.profiles import budget_for
        from harness.runner.properties import judge_scenario

        options = HarnessOptions.of(self.config)
        budget = budget_for(self.scenario, options.profile, options.seed)
        found = Found(options.found) if options.profile == "thorough" else None
        return judge_scenario(self.scenario, budget, found)

    def repr_failure(
        self, excinfo: ExceptionInfo[BaseException], style: Any = None
    ) -> str | TerminalRepr:
        """Our text for what the user can act on, a traceback for what is our own fault."""
        if isinstance(excinfo.value, ScenarioFailed | HarnessError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the item is from, and its title."""
        return self.path, None, f"{self.scenario.spec.title} ({self.name})"


class IssueItem(ScenarioItem):
    """The example of a known issue: an expected failure for as long as the issue is there."""

    def __init__(self, *, issue: KnownIssueSpec, **kwargs: Any) -> None:
        """Take what pytest gives, the scenario and the issue."""
        super().__init__(**kwargs)
        self.issue = issue

    def judge(self) -> Verdict:
        """The verdict on the issue's example."""
        from harness.runner.properties import judge_issue

        return judge_issue(self.scenario, self.issue)


def _shown(path: Path, config: pytest.Config) -> Path:
    """The path as a person would type it from where they stand."""
    here = config.invocation_params.dir
    return path.relative_to(here) if path.is_relative_to(here) else path
