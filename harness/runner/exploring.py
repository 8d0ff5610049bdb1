"""Draws with Hypothesis and shrinks what fails, one training at a time."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, NoReturn

from hypothesis import HealthCheck, Phase, Verbosity, given, reject, seed, settings
from hypothesis.errors import Unsatisfiable

from harness.errors import SpecError
from harness.runner.sessions import SESSIONS_KEPT
from harness.runner.spreading import choices_of, simpler, spread_out
from harness.spec.vary import WHOLE
from harness.strategies import EXAMPLES_PER_STRUCTURE, draws, from_seed_alone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from harness.runner.profiles import Budget
    from harness.runner.verdict import Failure
    from harness.spec.loaded import Scenario

    Try = Callable[[Mapping[str, Any], str | None], Failure | None]
    """Runs and judges a draw, all of it or the expectation of one id only."""

__all__ = ["Excused", "Exploration", "explore"]

_SPARES: Final = 3
"""Draws that are made ready for each that is wanted, in the place of refused ones."""


class Excused(Exception):  # noqa: N818 - a signal to take another draw, never seen by a user
    """Known issues excuse everything about a draw: it was not run."""


class _Broken(Exception):  # noqa: N818 - a signal to Hypothesis, never seen by a user
    """A draw fails."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.expectation)
        self.failure = failure


class _Escape(BaseException):
    """Carries an error past Hypothesis, which would take an Exception for a failure."""


@dataclass(slots=True)
class Exploration:
    """What came of the draws.

    Attributes:
        failure: The smallest failure; None when none was found.
        refused: Why a draw makes no pipeline that can run, by draw.
    """

    failure: Failure | None = None
    refused: dict[str, str] = field(default_factory=dict)


def explore(scenario: Scenario, budget: Budget, judge_one: Try) -> Exploration:
    """Draw until something fails, then look for the smallest draw that fails the same way.

    Args:
        scenario: Says what is drawn.
        budget: How much, from where, and how long to shrink.
        judge_one: Runs and judges one draw. A SpecError or `Excused` out of it takes another
            draw; any other error ends the exploration and comes out of here as it is.
    """
    search = _Search(judge_one=judge_one, budget=budget)
    try:
        failure = _searched(scenario, budget, search)
    except _Escape as escape:
        error = escape.__cause__
        if error is None:
            raise
        raise error from error.__cause__
    return Exploration(failure=failure, refused=search.refused)


def _searched(scenario: Scenario, budget: Budget, search: _Search) -> Failure | None:
    choices = {} if WHOLE in scenario.spec.vary else choices_of(scenario.spec.vary)
    planned = _planned(scenario, budget) if choices else []
    if len(planned) > budget.examples:
        return _spread(scenario, budget, search, planned, choices)
    for part in _rounds(scenario, budget):
        failure = _generated(scenario, part, search.examine)
        if failure is not None:
            return failure
    return None


def _rounds(scenario: Scenario, budget: Budget) -> Iterator[Budget]:
    """The whole budget, or so much of it at a time as the structures that are kept compiled."""
    share = budget.examples
    if WHOLE in scenario.spec.vary:
        share = min(share, EXAMPLES_PER_STRUCTURE * SESSIONS_KEPT)
    for start in range(0, budget.examples, share):
        yield replace(
            budget, examples=min(share, budget.examples - start), seed=budget.seed + start
        )


def _planned(scenario: Scenario, budget: Budget) -> list[dict[str, Any]]:
    """Draws with which nothing is done yet: more than the budget has, where there are as many."""
    planned: list[dict[str, Any]] = []
    _generated(scenario, _with_spares(budget), planned.append)
    return planned


def _with_spares(budget: Budget) -> Budget:
    return replace(budget, examples=_SPARES * budget.examples)


def _spread(
    scenario: Scenario,
    budget: Budget,
    search: _Search,
    planned: Sequence[Mapping[str, Any]],
    choices: Mapping[str, Sequence[Any]],
) -> Failure | None:
    """Judge draws that are spread over what is listed; a refused one is made up for by a spare."""
    count = budget.examples
    for draw in spread_out(planned, choices, seed=budget.seed, count=count):
        key = json.dumps(draw)
        if key in search.settled or key in search.refused:
            continue
        try:
            failure = search.found(key, draw)
        except (SpecError, Excused):
            continue
        if failure is not None:
            return _shrunk(scenario, budget, search, failure, choices)
        count -= 1
        if not count:
            break
    return None


def _shrunk(
    scenario: Scenario,
    budget: Budget,
    search: _Search,
    failure: Failure,
    choices: Mapping[str, Sequence[Any]],
) -> Failure:
    """The smallest failure of its kind: first the earliest listed values, then all others."""
    for key in choices:
        for draw in simpler(failure.draw, choices, key):
            smaller = search.tried_again(draw)
            if smaller is not None:
                failure = smaller
                break
    fixed = {key: failure.draw[key] for key in choices}

    def fails(draw: Mapping[str, Any]) -> None:
        found = search.tried_again({**draw, **fixed})
        if found is not None:
            _raise(found)

    return _generated(scenario, _with_spares(budget), fails) or failure


def _generated(
    scenario: Scenario, budget: Budget, examine: Callable[[dict[str, Any]], object]
) -> Failure | None:
    """What Hypothesis makes smallest of the draws that `examine` raises for."""

    # Every setting is given, so that a profile of the user's own tests changes nothing here.
    @seed(budget.seed)
    @settings(
        max_examples=budget.examples,
        backend="hypothesis",
        database=None,
        deadline=None,
        derandomize=False,
        phases=(Phase.generate, Phase.shrink),
        print_blob=False,
        report_multiple_bugs=False,
        stateful_step_count=1,
        # Training is slow and refused draws are counted here: the alarms would be false.
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(draws(scenario.spec.vary, scenario.template, seed=budget.seed, examples=budget.examples))
    def holds(draw: dict[str, Any]) -> None:
        examine(draw)

    try:
        with from_seed_alone():
            holds()
    except _Broken as broken:
        return broken.failure
    except Unsatisfiable:
        pass
    return None


@dataclass(slots=True)
class _Search:
    """Judges each draw once and remembers what came of it.

    From the first failure on only its expectation is judged, so that shrinking stays with it;
    when the time is up, no new draw is tried, which ends the shrinking with what it has.
    """

    judge_one: Try
    budget: Budget
    refused: dict[str, str] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    _failures: dict[str, Failure] = field(default_factory=dict)
    _focus: str | None = None
    _until: float = 0.0

    def examine(self, draw: dict[str, Any]) -> None:
        """Let Hypothesis know about one draw by raising, rejecting or returning."""
        key = json.dumps(draw)
        if key in self._failures:
            _raise(self._failures[key])
        if key in self.refused:
            reject()
        if key in self.settled or self._late:
            return
        try:
            failure = self.found(key, draw)
        except (SpecError, Excused):
            reject()
        if failure is not None:
            _raise(failure)

    def tried_again(self, draw: dict[str, Any]) -> Failure | None:
        """How a draw breaks the expectation that was broken first, as far as there is time."""
        key = json.dumps(draw)
        if key in self._failures:
            return self._failures[key]
        if key in self.settled or key in self.refused or self._late:
            return None
        try:
            return self.found(key, draw)
        except (SpecError, Excused):
            return None

    def found(self, key: str, draw: dict[str, Any]) -> Failure | None:
        """Judge a draw that was not judged before.

        Raises:
            SpecError: It makes no pipeline that can run.
            Excused: Known issues excuse everything about it.
        """
        try:
            failure = self.judge_one(draw, self._focus)
        except SpecError as error:
            self.refused[key] = str(error)
            raise
        except Excused:
            raise
        except Exception as error:
            error.add_note(f"It was drawn: {key}")
            raise _Escape from error
        if failure is None:
            self.settled.add(key)
            return None
        if self._focus is None:
            self._focus = failure.expectation
            self._until = time.monotonic() + self.budget.shrink_seconds
        self._failures[key] = failure
        return failure

    @property
    def _late(self) -> bool:
        return self._focus is not None and time.monotonic() > self._until


def _raise(failure: Failure) -> NoReturn:
    """Raise from one line only: Hypothesis tells failures apart by where they come from."""
    raise _Broken(failure)
