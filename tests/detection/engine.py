"""Plants faults in Keras one at a time and lets the real scenarios judge what comes of it."""

from __future__ import annotations

import gc
import time
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from harness.errors import HarnessError
from harness.pipeline.backend import installed_versions
from harness.runner import judging
from harness.runner.profiles import budget_for
from harness.runner.properties import (
    excuses,
    issues_in_force,
    judge_issue,
    judge_scenario,
)
from harness.runner.verdict import Outcome
from harness.spec.loader import load_scenario
from tests.detection.faults.patching import replaced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from harness.runner.verdict import Verdict
    from harness.spec.loaded import Scenario
    from tests.detection.faults.patching import Fault

__all__ = [
    "SCENARIOS",
    "Caught",
    "Hunt",
    "area_scenarios",
    "elsewhere",
    "fresh",
    "hunt",
    "replay",
]

_NOT_JUDGED: Final = "not judged: "

SCENARIOS: Final = Path(__file__).parents[2] / "scenarios"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """How a fault was noticed.

    Attributes:
        scenario: Area and file name of the scenario.
        expectation: Id of the expectation that the fault breaks.
        draw: What was drawn when it did.
        issue: Id of the known issue that no longer showed, where that was all.
        steps: Training steps that the scenario ran until then; None if nobody counted.
        elsewhere: Other areas of which a recorded draw notices it, too; None if nobody looked.
    """

    scenario: str
    expectation: str
    draw: Mapping[str, Any] = field(default_factory=dict)
    issue: str | None = None
    steps: int | None = None
    elsewhere: tuple[str, ...] | None = None

    @property
    def replays(self) -> bool:
        """Whether one draw shows it: a scenario that could not be judged has none to show."""
        return not self.expectation.startswith(_NOT_JUDGED)

    @property
    def area(self) -> str:
        """Area of the scenario."""
        return self.scenario.split("/")[0]

    @property
    def text(self) -> str:
        """Scenario and expectation in one word."""
        return f"{self.scenario}::{self.expectation}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunt:
    """What the scenarios of an area made of a fault.

    Attributes:
        fault: Its name.
        caught: How it was noticed; None where it was not.
        steps: Training steps that the scenario which noticed it ran until then.
        seconds: Processor time until then, in a process that had imported everything.
    """

    fault: str
    caught: Caught | None
    steps: int
    seconds: float


def area_scenarios(area: str) -> list[Scenario]:
    """The scenarios of an area, the cheap ones first."""
    loaded = [load_scenario(path) for path in sorted((SCENARIOS / area).glob("*.toml"))]
    return sorted(loaded, key=_cost)


def _cost(scenario: Scenario) -> int:
    """Trainings that a scenario makes; one with a model costs as much as ten without."""
    spec = scenario.spec
    relations = sum(expectation.kind == "unchanged_by" for expectation in spec.expect)
    draws = budget_for(scenario, "quick", None).examples if spec.vary else 1
    return draws * (1 + relations) * (1 if spec.pipeline.training.kind == "apply_gradients" else 10)


def hunt(fault: Fault, scenarios: Sequence[Scenario]) -> Hunt:
    """Judge scenarios under a fault until one notices it, known issues last.

    Raises:
        NotHereError: The installed Keras has nothing that the fault would change.
    """
    with fresh(), fault.apply(), _counted() as steps:
        started = time.process_time()
        caught = next(_notices(scenarios, steps), None)
        seconds = time.process_time() - started
    if caught is not None:
        caught = replace(caught, steps=sum(steps))
    return Hunt(fault=fault.name, caught=caught, steps=sum(steps), seconds=seconds)


def replay(caught: Caught) -> tuple[str, ...]:
    """Ids of what one recorded draw breaks; nothing compiled is taken or kept."""
    scenario = load_scenario(SCENARIOS / f"{caught.scenario}.toml")
    for issue in scenario.spec.known_issue:
        if issue.id == caught.issue:
            with fresh():
                verdict = judge_issue(scenario, issue)
            return () if verdict.outcome is Outcome.KNOWN_ISSUE else (caught.expectation,)
    pipeline = scenario.pipeline_for(caught.draw)
    excused = excuses(issues_in_force(scenario, installed_versions()), pipeline)
    only = caught.expectation if caught.expectation != judging.ENDING else None
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        judged = judging.judge_draw(
            scenario, caught.draw, pipeline, excused=excused, only=only, reuse=False
        )
    return tuple(judged.broken)


def elsewhere(fault: Fault, recorded: Iterable[Caught], *, draws: int) -> tuple[str, ...]:
    """Areas, other than the fault's, of which a draw that was recorded for another fault fails.

    Args:
        fault: What is planted.
        recorded: What noticed the other faults; each passes when nothing is planted.
        draws: How many draws of an area are tried, of as many scenarios; those first that train
            once, where others train a second time to compare.

    Raises:
        NotHereError: The installed Keras has nothing that the fault would change.
    """
    chosen: dict[str, dict[str, Caught]] = {}
    for caught in sorted(recorded, key=lambda caught: _trainings(caught.scenario)):
        if caught.area != fault.area and caught.replays and caught.issue is None:
            of_area = chosen.setdefault(caught.area, {})
            if len(of_area) < draws:
                of_area.setdefault(caught.scenario, caught)
    with fresh(), fault.apply():
        return tuple(
            area for area, tried in sorted(chosen.items()) if any(map(_fails, tried.values()))
        )


@cache
def _trainings(scenario: str) -> int:
    """How often a draw of a scenario is trained."""
    expect = load_scenario(SCENARIOS / f"{scenario}.toml").spec.expect
    return 1 + sum(hasattr(expectation, "change") for expectation in expect)


def _fails(caught: Caught) -> bool:
    try:
        return bool(replay(caught))
    except HarnessError:
        # Under a fault a pipeline may not even be built, which nobody overlooks.
        return True


@contextmanager
def fresh() -> Iterator[None]:
    """Before and after this there is no compiled pipeline that a fault may be part of."""
    from harness.runner.run import SESSIONS

    def forget() -> None:
        SESSIONS.clear()
        gc.collect()

    forget()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            yield
    finally:
        forget()


def _notices(scenarios: Sequence[Scenario], steps: list[int]) -> Iterator[Caught]:
    for scenario in scenarios:
        steps.clear()
        budget = replace(budget_for(scenario, "quick", None), shrink_seconds=0.0)
        caught = _noticed(scenario, partial(judge_scenario, scenario, budget))
        if caught is not None:
            yield caught
    for scenario in scenarios:
        for issue in scenario.spec.known_issue:
            steps.clear()
            caught = _noticed(scenario, partial(judge_issue, scenario, issue))
            if caught is not None:
                yield caught


def _noticed(scenario: Scenario, judge: Callable[[], Verdict]) -> Caught | None:
    name = f"{scenario.area}/{scenario.id}"
    try:
        verdict = judge()
    except HarnessError as error:
        return Caught(scenario=name, expectation=f"{_NOT_JUDGED}{error}")
    match verdict.outcome:
        case Outcome.FAILED if verdict.failure is not None:
            return Caught(
                scenario=name,
                expectation=verdict.failure.expectation,
                draw=verdict.failure.draw,
                issue=verdict.issue,
            )
        case Outcome.FIXED:
            return Caught(scenario=name, expectation="known issue gone", issue=verdict.issue)
        case Outcome.NOT_JUDGED:
            return Caught(scenario=name, expectation=f"{_NOT_JUDGED}{verdict.reason}")
        case _:
            return None


@contextmanager
def _counted() -> Iterator[list[int]]:
    """How many steps each training has made in here."""
    steps: list[int] = []
    run_training = judging.run_training

    def counted(*arguments: Any, **keywords: Any) -> Any:
        trace = run_training(*arguments, **keywords)
        steps.append(len(trace.steps))
        return trace

    with replaced(judging, "run_training", counted):
        yield steps
