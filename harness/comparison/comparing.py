"""Measures two environments in turns, pair by pair, until the pairs settle it or time is up."""

from __future__ import annotations

import contextlib
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, Self

from harness.comparison.arms import Arm, Figures
from harness.comparison.pairs import (
    METRICS,
    MetricResult,
    Pair,
    fewest_pairs,
    judge_pairs,
    last_look,
    metrics_of,
    plan_stages,
    round_costs,
)
from harness.statistics.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from harness.comparison.preparing import Prepared

__all__ = [
    "BUDGET_SECONDS",
    "ROUNDS",
    "Comparison",
    "Measure",
    "Plan",
    "RunningPairs",
    "compare",
    "measure_and_judge",
    "running_pairs",
]

BUDGET_SECONDS: Final = 60.0
"""Of measuring, for one scenario; importing Keras and building environments come on top."""

ROUNDS: Final = 5
"""Rounds of each arm in a pair. An odd number has a round in its middle."""

_ROUND_SECONDS: Final = 0.15
"""A round is cut down to about this: shorter ones are more set-up than steps."""

_PAIRS_PER_START: Final = 8
"""Forks share the layout of the process they come from; another start draws another layout."""

_ARMS: Final = ("base", "other", "control")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a comparison is done.

    Attributes:
        margin: Smallest relative change of a step that matters.
        budget_seconds: See `BUDGET_SECONDS`.
        seed: Where the order of the arms is drawn from.
        steps: Most steps in a round.
        steps_per_execution: A round has whole executions.
    """

    margin: float
    budget_seconds: float = BUDGET_SECONDS
    seed: int = 0
    steps: int = 100
    steps_per_execution: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What came out of comparing one scenario in two environments.

    Attributes:
        results: One a metric; empty where not even the first look was reached.
        pairs: What was measured.
        seconds: Spent measuring.
        versions: What each environment had loaded.
        reason: Why nothing could be judged, with what would help; None where something was.
    """

    results: tuple[MetricResult, ...]
    pairs: tuple[Pair, ...]
    seconds: float
    versions: tuple[Mapping[str, str], Mapping[str, str]]
    reason: str | None = None

    @property
    def verdict(self) -> Verdict:
        """A regression of anything; else what the step time says."""
        verdicts = [result.verdict for result in self.results]
        if Verdict.REGRESSION in verdicts:
            return Verdict.REGRESSION
        return verdicts[0] if verdicts else Verdict.COULD_NOT_JUDGE


def compare(
    base: Prepared,
    other: Prepared,
    scenario: Path,
    plan: Plan,
    tell: Callable[[str], None] = lambda _: None,
) -> Comparison:
    """Compare what a scenario costs in two environments.

    Each pair is a fresh process of either environment and one more of the first, the control.
    They build and compile one after the other, and are then measured in rounds, in an order drawn
    anew for each. The first pair only warms caches and tells how many pairs the budget allows.

    Args:
        base: What the ratios are in units of.
        other: What is judged.
        scenario: Its file.
        plan: How.
        tell: Takes a line of progress.

    Raises:
        EnvironmentBroken: A worker dies, or cannot train the scenario.
        FigureError: A figure is not a positive number.
    """
    tell("starting three processes")
    with running_pairs(base, other, scenario, plan) as measure:
        versions = (measure.arms["base"].versions, measure.arms["other"].versions)
        tell("a pair to warm up")
        pairs, results, spent = measure_and_judge(measure, plan, tell)
    reason = None if results else _too_few(plan, len(pairs), spent)
    return Comparison(results=results, pairs=pairs, seconds=spent, versions=versions, reason=reason)


@contextlib.contextmanager
def running_pairs(
    base: Prepared, other: Prepared, scenario: Path, plan: Plan
) -> Iterator[RunningPairs]:
    """Pairs from processes that run for as long as the block.

    Args:
        base: Its environment has two of the three processes.
        other: Has the third.
        scenario: Its file.
        plan: Seed of the order, and the steps of a round.

    Raises:
        EnvironmentBroken: A worker dies, or cannot train the scenario.
    """
    with _Arms((base, other, base), scenario) as arms:
        arms.start()
        order = random.Random(plan.seed)  # noqa: S311 - an order, no secret
        yield RunningPairs(arms, _calibrated(arms["base"], plan), order)


class Measure(Protocol):
    """Where pairs come from: running processes, or a recording of them."""

    def __call__(self) -> tuple[Pair, float]:
        """The next pair, and the seconds it took."""
        ...


def measure_and_judge(
    measure: Measure, plan: Plan, tell: Callable[[str], None] = lambda _: None
) -> tuple[tuple[Pair, ...], tuple[MetricResult, ...], float]:
    """Take pairs until they settle it or time is up.

    The first one is thrown away: it tells how many there is time for.

    Args:
        measure: Where they come from.
        plan: Margin and budget.
        tell: Takes a line of progress.

    Returns:
        The pairs, what they say of each metric (nothing, where they are too few), and the seconds
        they took.
    """
    first, pair_seconds = measure()
    metrics = len(metrics_of([first]))
    stages = plan_stages(int(plan.budget_seconds / pair_seconds), metrics)
    looks = frozenset(stages.pairs if stages is not None else ())
    pairs: list[Pair] = []
    results: tuple[MetricResult, ...] = ()
    spent, settled = 0.0, False
    while not settled and (not pairs or spent * (1 + 1 / len(pairs)) < plan.budget_seconds):
        pair, seconds = measure()
        pairs.append(pair)
        spent += seconds
        tell(f"{len(pairs)} pairs in {spent:.0f} of {plan.budget_seconds:g} s")
        if stages is not None and len(pairs) in looks:
            results, settled = judge_pairs(pairs, stages, plan.margin)
    last = None if settled else last_look(len(pairs), metrics, stages)
    if last is not None and len(pairs) not in looks:
        results, _ = judge_pairs(pairs, last, plan.margin)
    return tuple(pairs), results, spent


@dataclass(slots=True)
class RunningPairs:
    """Pairs from running processes, which are started anew every few of them."""

    arms: _Arms
    steps: int
    order: random.Random
    count: int = 0

    def __call__(self) -> tuple[Pair, float]:
        """The next pair."""
        if self.count and self.count % _PAIRS_PER_START == 0:
            self.arms.start()
        self.count += 1
        started = time.perf_counter()
        pair = _measure(self.arms, self.steps, self.order)
        return pair, time.perf_counter() - started


class _Arms:
    """The three arms, started anew now and then."""

    def __init__(self, environments: Sequence[Prepared], scenario: Path) -> None:
        self._environments, self._scenario = environments, scenario
        self._stack = contextlib.ExitStack()
        self._running: dict[str, Arm] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def __getitem__(self, name: str) -> Arm:
        return self._running[name]

    def start(self) -> None:
        """Start all workers anew; they import Keras side by side."""
        self._stack.close()
        self._running = {
            arm: self._stack.enter_context(Arm(prepared.name, prepared, self._scenario))
            for arm, prepared in zip(_ARMS, self._environments, strict=True)
        }
        for arm in self._running.values():
            arm.ready()


def _calibrated(arm: Arm, plan: Plan) -> int:
    """Steps of a round that takes about as long as it should."""
    each = plan.steps_per_execution
    most = max(plan.steps, each)
    probe = min(most, each * max(1, 10 // each))
    arm.begin(probe)
    seconds = min(arm.round() for _ in range(2))
    arm.end()
    wanted = int(_ROUND_SECONDS / max(seconds, 1e-9))
    return max(each, min(most, wanted) // each * each)


def _measure(arms: _Arms, steps: int, order: random.Random) -> Pair:
    """One pair and its control."""
    for name in order.sample(_ARMS, len(_ARMS)):
        arms[name].begin(steps)
    rounds = []
    for _ in range(ROUNDS):
        costs = {}
        for name in order.sample(_ARMS, len(_ARMS)):
            costs[name] = arms[name].round()
        rounds.append(costs)
    step_seconds = round_costs(rounds, _ARMS)
    figures: dict[str, Figures] = {name: arms[name].end() for name in _ARMS}
    for name, found in figures.items():
        found[METRICS[0].name] = step_seconds[name]
    return Pair(base=figures["base"], other=figures["other"], control=figures["control"])


def _too_few(plan: Plan, pairs: int, seconds: float) -> str:
    needed = fewest_pairs(len(METRICS))
    budget = 1.5 * needed * seconds / pairs
    return (
        f"{pairs} pairs in {plan.budget_seconds:g} s are too few, {needed} are needed at least. "
        f"Give it --budget {budget:.0f} or more."
    )
