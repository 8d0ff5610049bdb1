"""Verdicts on everything a scenario draws: failures, excuses, silence, refusals, luck."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.errors import PipelineError
from harness.invariants.base import NothingToJudge, Violation
from harness.invariants.judge import judge as judge_really
from harness.runner.found import Found
from harness.runner.profiles import Budget
from harness.runner.properties import judge_issue, judge_scenario
from harness.runner.verdict import Outcome, Verdict
from harness.spec.loaded import Scenario
from harness.spec.pipeline import PipelineSpec
from tests.runner.synthetic import (
    BOUND,
    SEED,
    VERSIONS,
    MadeUpTraining,
    install,
    scenario_of,
)

BUDGET = Budget(examples=60, seed=1)

ISSUE = """
[[known_issue]]
id = "loses"
versions = "keras>=3.10"
reason = "It loses too much."
expectation = "small"
when = [{ seed = { at_least = 50 } }]
example = { seed = 60 }
"""


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> MadeUpTraining:
    """Made-up trainings in the place of real ones."""
    return install(monkeypatch)


def verdict_of(*parts: str, budget: Budget = BUDGET, found: Found | None = None) -> Verdict:
    """Return the verdict on a scenario with these parts."""
    return judge_scenario(scenario_of(*parts), budget, found)


def silent_unless(patch: pytest.MonkeyPatch, judged: Any) -> None:
    """Let there be something to judge only in some pipelines."""

    def judge(expectation: Any, *, pipeline: PipelineSpec, trace: Any) -> tuple[Violation, ...]:
        if not judged(pipeline):
            message = "there is no plateau"
            raise NothingToJudge(message)
        return judge_really(expectation, pipeline=pipeline, trace=trace)

    patch.setattr("harness.runner.judging.judge", judge)


def test_a_scenario_without_draws_is_one_example(training: MadeUpTraining) -> None:
    """It is run once, and no seed is told."""
    verdict = verdict_of(BOUND)

    assert verdict.outcome is Outcome.PASSED
    assert (verdict.examples, verdict.seed) == (1, None)
    assert verdict.versions == VERSIONS
    assert len(training.pipelines) == 1


def test_a_property_that_holds_passes(training: MadeUpTraining) -> None:
    """Every draw is run once, as many as the budget has."""
    training.loss = lambda _: 1.0

    verdict = verdict_of(SEED, BOUND)

    assert verdict.outcome is Outcome.PASSED
    assert verdict.examples == len(training.seeds) == len(set(training.seeds)) == 60
    assert verdict.seed == 1


def test_a_failure_shrinks_to_the_simplest_draw(training: MadeUpTraining) -> None:
    """The first number beyond the bound is what is reported, repeated from a fresh pipeline."""
    verdict = verdict_of(SEED, BOUND)

    assert verdict.outcome is Outcome.FAILED
    assert verdict.failure is not None
    assert verdict.failure.draw == {"seed": 11}
    assert verdict.failure.pipeline.seed == 11
    assert not verdict.unstable
    assert (training.seeds[-1], training.reused[-1]) == (11, False)


def test_the_same_seed_draws_the_same(training: MadeUpTraining) -> None:
    """One budget gives one sequence of draws, another seed another."""
    training.loss = lambda _: 1.0
    runs = []
    for seed in (1, 1, 2):
        training.pipelines.clear()
        verdict_of(SEED, BOUND, budget=Budget(examples=20, seed=seed))
        runs.append(training.seeds)

    assert runs[0] == runs[1] != runs[2]


def test_shrinking_stays_with_the_expectation_that_failed_first(training: MadeUpTraining) -> None:
    """A smaller draw that breaks another expectation is not taken for the same failure."""
    # Large seeds break `small`; smaller ones break `smaller`, which comes first in the file.
    training.loss = lambda pipeline: -1.0 if pipeline.seed <= 40 else 50.0
    never = BOUND.replace("small", "smaller").replace("at_most = 10.0", "at_least = 0.0")
    large = "[vary]\nseed = { one_of = [{ integers = [41, 99] }, { integers = [0, 40] }] }"
    for seed in range(5):
        training.pipelines.clear()
        verdict = verdict_of(large, never, BOUND, budget=Budget(examples=60, seed=seed))

        first = "smaller" if training.seeds[0] <= 40 else "small"
        assert verdict.failure is not None
        assert verdict.failure.expectation == first
        assert verdict.failure.draw == {"seed": 0 if first == "smaller" else 41}


@pytest.mark.usefixtures("training")
def test_what_else_a_run_breaks_is_told() -> None:
    """The first expectation of the file is the failure, the others are named."""
    verdict = verdict_of(BOUND, BOUND.replace("small", "smaller"), "[pipeline]\nseed = 12")

    assert verdict.failure is not None
    assert (verdict.failure.expectation, verdict.failure.also) == ("small", ("smaller",))


def test_a_failure_of_luck_is_told_apart(training: MadeUpTraining) -> None:
    """What fails once and passes when repeated is a failure, and marked as unstable."""
    runs: list[int] = []

    def once(_: PipelineSpec) -> float:
        runs.append(1)
        return 99.0 if len(runs) == 1 else 1.0

    training.loss = once
    verdict = verdict_of(SEED, BOUND)

    assert verdict.outcome is Outcome.FAILED
    assert verdict.unstable
    assert verdict.failure is not None
    assert verdict.failure.draw == {"seed": training.seeds[0]}


def test_what_was_found_is_tried_first(training: MadeUpTraining, tmp_path: Path) -> None:
    """The smallest failure is kept, and the next session starts with it."""
    found = Found(tmp_path)
    verdict_of(SEED, BOUND, found=found)
    training.pipelines.clear()

    verdict = verdict_of(SEED, BOUND, budget=Budget(examples=60, seed=2), found=found)

    assert verdict.failure is not None
    assert training.seeds == [11, 11]
    assert found.draws(scenario_of(SEED, BOUND)) == ({"seed": 11},)


def test_a_found_draw_that_passes_or_is_refused_does_not_stop_the_search(
    training: MadeUpTraining, tmp_path: Path
) -> None:
    """Draws of an edited file may be no pipelines any more."""
    found = Found(tmp_path)
    for seed in (3, -1, "none"):
        found.add(scenario_of(SEED, BOUND), {"seed": seed})
    training.loss = lambda _: 1.0

    verdict = verdict_of(SEED, BOUND, found=found)

    assert verdict.outcome is Outcome.PASSED
    assert verdict.examples == 61
    assert training.seeds[0] == 3


def test_a_known_issue_excuses_matching_draws_only(training: MadeUpTraining) -> None:
    """Draws that do not match are judged in full."""
    training.loss = lambda pipeline: 99.0 if pipeline.seed >= 50 else 1.0
    assert verdict_of(SEED, BOUND, ISSUE).outcome is Outcome.PASSED

    training.loss = lambda pipeline: 99.0 if pipeline.seed >= 49 else 1.0
    verdict = verdict_of(SEED, BOUND, ISSUE)

    assert verdict.failure is not None
    assert verdict.failure.draw == {"seed": 49}


def test_a_known_issue_excuses_its_expectation_only(training: MadeUpTraining) -> None:
    """The others are judged on every draw."""
    training.loss = lambda pipeline: 99.0 if pipeline.seed >= 50 else 1.0

    verdict = verdict_of(SEED, BOUND, BOUND.replace("small", "other"), ISSUE)

    assert verdict.failure is not None
    assert verdict.failure.expectation == "other"
    assert verdict.failure.draw == {"seed": 50}


def test_a_known_issue_of_other_versions_excuses_nothing(training: MadeUpTraining) -> None:
    """What is installed decides."""
    training.loss = lambda pipeline: 99.0 if pipeline.seed >= 50 else 1.0

    verdict = verdict_of(SEED, BOUND, ISSUE.replace(">=3.10", "<3.10"))

    assert verdict.outcome is Outcome.FAILED


def test_a_wholly_excused_scenario_is_a_known_issue(training: MadeUpTraining) -> None:
    """Nothing is run, and the verdict says which issue it is."""
    verdict = verdict_of(SEED, BOUND, ISSUE.replace("when = [{ seed = { at_least = 50 } }]", ""))

    assert verdict.outcome is Outcome.KNOWN_ISSUE
    assert verdict.reason == "known issues excuse all of it. loses: It loses too much."
    assert training.pipelines == []


@pytest.mark.usefixtures("training")
def test_an_excused_scenario_without_draws_is_a_known_issue() -> None:
    """The same for a scenario that draws nothing."""
    issue = ISSUE.replace("when = [{ seed = { at_least = 50 } }]", "")

    assert verdict_of(BOUND, issue).outcome is Outcome.KNOWN_ISSUE


def test_nothing_to_judge_in_some_runs_is_no_matter(
    training: MadeUpTraining, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An expectation needs one run in which it could have failed."""
    training.loss = lambda _: 1.0
    silent_unless(monkeypatch, lambda pipeline: pipeline.seed % 2)

    assert verdict_of(SEED, BOUND).outcome is Outcome.PASSED


@pytest.mark.usefixtures("training")
def test_nothing_to_judge_in_any_run_is_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """A property that cannot fail proves nothing."""
    silent_unless(monkeypatch, lambda _: False)

    verdict = verdict_of(SEED, BOUND)

    assert verdict.outcome is Outcome.NOT_JUDGED
    assert verdict.reason == "small has nothing to judge in any run: there is no plateau"


def refuse(patch: pytest.MonkeyPatch, refused: Callable[[int], bool]) -> None:
    """Let draws of some seeds make no pipeline that can run."""
    real = Scenario.pipeline_for

    def pipeline_for(self: Scenario, draw: Mapping[str, Any]) -> PipelineSpec:
        return real(self, {"training.epochs": 0} if refused(draw["seed"]) else draw)

    patch.setattr(Scenario, "pipeline_for", pipeline_for)


def test_some_refused_draws_are_left_out(
    training: MadeUpTraining, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A draw that makes no pipeline that can run is skipped, and not counted."""
    training.loss = lambda _: 1.0
    refuse(monkeypatch, lambda seed: seed % 2 == 1)

    verdict = verdict_of(SEED, BOUND)

    assert verdict.outcome is Outcome.PASSED
    assert verdict.examples == len(training.seeds) > 20
    assert not any(seed % 2 for seed in training.seeds)


@pytest.mark.usefixtures("training")
def test_a_failure_among_refused_draws_shrinks() -> None:
    """Refused draws are passed over on the way down too."""
    with pytest.MonkeyPatch.context() as patch:
        refuse(patch, lambda seed: seed in {11, 12})
        verdict = verdict_of(SEED, BOUND)

    assert verdict.failure is not None
    assert verdict.failure.draw == {"seed": 13}


def test_refused_draws_are_no_pass(
    training: MadeUpTraining, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no draw can run there is no verdict; the first refusal is told."""
    refuse(monkeypatch, lambda _: True)

    verdict = verdict_of(SEED, BOUND)

    assert verdict.outcome is Outcome.NOT_JUDGED
    assert verdict.reason == (
        "only 0 of 100 draws make a pipeline that can run. The first that does not: "
        "scenarios/made_up/example.toml: pipeline.training.epochs must be >= 1, got 0."
    )
    assert training.pipelines == []


def test_an_error_that_the_user_must_mend_comes_out_as_it_is(training: MadeUpTraining) -> None:
    """It ends the search at once: a smaller draw would not be any better."""

    def broken(_: PipelineSpec) -> float:
        message = "data must hold numbers, got NaN."
        raise PipelineError(message)

    training.loss = broken
    with pytest.raises(PipelineError) as caught:
        verdict_of(SEED, BOUND)

    assert str(caught.value) == "data must hold numbers, got NaN."
    assert len(training.pipelines) == 1


@pytest.mark.usefixtures("training")
def test_broken_limits_fail() -> None:
    """Limits are judged on every draw."""
    verdict = verdict_of(SEED, BOUND.replace("10.0", "100.0"), "[limits]\nwall_seconds = 1.0")

    assert verdict.failure is not None
    assert verdict.failure.expectation == "limits"
    assert verdict.failure.draw == {"seed": 0}


def issue_verdict(*parts: str) -> Verdict:
    """Return the verdict on the first known issue."""
    scenario = scenario_of(SEED, BOUND, *parts)
    return judge_issue(scenario, scenario.spec.known_issue[0])


def test_an_issue_that_shows_is_known(training: MadeUpTraining) -> None:
    """Its example fails, as it must."""
    verdict = issue_verdict(ISSUE)

    assert verdict.outcome is Outcome.KNOWN_ISSUE
    assert verdict.reason == "It loses too much."
    assert verdict.issue == "loses"
    assert training.seeds == [60]


def test_an_issue_that_no_longer_shows_is_fixed(training: MadeUpTraining) -> None:
    """The day its example passes, the suite says so."""
    training.loss = lambda _: 1.0

    verdict = issue_verdict(ISSUE)

    assert verdict.outcome is Outcome.FIXED
    assert verdict.reason == (
        "Known issue loses no longer shows on keras 3.15.1. Remove it, or narrow its versions "
        "'keras>=3.10' so that they end before."
    )


@pytest.mark.parametrize(("loss", "outcome"), [(1.0, Outcome.PASSED), (99.0, Outcome.FAILED)])
def test_on_other_versions_the_example_is_like_any_draw(
    training: MadeUpTraining, loss: float, outcome: Outcome
) -> None:
    """It must pass where the issue is not said to be."""
    training.loss = lambda _: loss

    assert issue_verdict(ISSUE.replace(">=3.10", "<3.10")).outcome is outcome


@pytest.mark.usefixtures("training")
def test_an_issue_with_nothing_to_judge_is_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its example must be one that can fail."""
    silent_unless(monkeypatch, lambda _: False)

    verdict = issue_verdict(ISSUE)

    assert verdict.outcome is Outcome.NOT_JUDGED
    assert verdict.reason == "there is no plateau"


def test_an_issue_does_not_show_by_breaking_something_else(training: MadeUpTraining) -> None:
    """Only the expectation that it excuses counts."""
    training.loss = lambda _: 1.0
    other = BOUND.replace("small", "other").replace("at_most = 10.0", "at_most = 0.5")

    assert issue_verdict(other, ISSUE, "[limits]\nwall_seconds = 1.0").outcome is Outcome.FIXED
