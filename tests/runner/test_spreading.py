"""Draws are spread over what a scenario file lists."""

from collections import Counter
from typing import Any

import pytest

from harness.errors import SpecError
from harness.runner.exploring import Excused, explore
from harness.runner.profiles import Budget
from harness.runner.spreading import choices_of, simpler, spread_out
from harness.runner.verdict import Failure
from tests.runner.synthetic import BOUND, scenario_of

LISTED = """
[vary]
"data.seed" = { sampled_from = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] }
"data.shuffle" = { booleans = true }
seed = { integers = [0, 99] }
"""
BUDGET = Budget(examples=11, seed=3)


def drawn(budget: Budget = BUDGET, *, refused: object = None) -> list[dict[str, Any]]:
    """Return what is drawn of `LISTED`, with draws that are refused or excused left out."""
    draws: list[dict[str, Any]] = []

    def judge_one(draw: Any, _: str | None) -> Failure | None:
        if draw["data.seed"] == refused:
            if draw["data.shuffle"]:
                raise Excused
            raise SpecError(())
        draws.append(dict(draw))
        return None

    explore(scenario_of(BOUND, LISTED), budget, judge_one)
    return draws


def test_every_listed_value_comes() -> None:
    """Eleven draws have each of ten values, and both truths about equally often."""
    draws = drawn()
    assert sorted(Counter(draw["data.seed"] for draw in draws)) == list(range(10))
    assert sorted(Counter(draw["data.shuffle"] for draw in draws).values()) == [5, 6]
    assert draws[0] == {"data.seed": 0, "data.shuffle": False, "seed": 0}


def test_like_draws_come_together() -> None:
    """Draws with one value of the first list come one after the other."""
    numbers = [draw["data.seed"] for draw in drawn(Budget(examples=30, seed=3))]
    assert numbers[1:] == sorted(numbers[1:])


def test_refused_draws_are_made_up_for() -> None:
    """There are as many draws as there should be when one value is always refused."""
    draws = drawn(refused=4)
    assert len(draws) == BUDGET.examples
    assert not [draw for draw in draws if draw["data.seed"] == 4]


def test_a_failure_shrinks_to_the_first_listed_values() -> None:
    """The smallest failure has the earliest values of the lists that fail, and the least number."""

    def judge_one(draw: Any, _: str | None) -> Failure | None:
        if draw["data.seed"] < 5 or draw["seed"] < 30:
            return None
        none: Any = None
        return Failure(expectation="small", violations=(), draw=draw, pipeline=none, stop=none)

    found = explore(scenario_of(BOUND, LISTED), Budget(examples=30, seed=3), judge_one).failure
    assert found is not None
    assert found.draw == {"data.seed": 5, "data.shuffle": False, "seed": 30}


def test_few_draws_are_all_made() -> None:
    """Where there are fewer draws than examples each of them is made."""
    draws: list[Any] = []
    listed = (
        '[vary]\n"data.seed" = { sampled_from = [0, 1, 2] }\n"data.shuffle" = { booleans = true }'
    )
    explore(scenario_of(BOUND, listed), BUDGET, lambda draw, _: draws.append(tuple(draw.values())))
    assert sorted(draws) == [(seed, truth) for seed in range(3) for truth in (False, True)]


def test_only_lists_and_truths_are_spread() -> None:
    """Numbers are left to Hypothesis."""
    vary = scenario_of(BOUND, LISTED).spec.vary
    assert choices_of(vary) == {"data.seed": tuple(range(10)), "data.shuffle": (False, True)}


def test_spares_follow_unsorted() -> None:
    """All draws are kept, those beyond the wanted ones behind them."""
    spread = spread_out([{"a": 0, "b": n} for n in range(7)], {"a": (0, 1, 2)}, seed=0, count=4)
    assert [draw["a"] for draw in spread[:4]] == [0, 0, 1, 2]
    assert sorted(draw["b"] for draw in spread) == list(range(7))
    assert Counter(draw["a"] for draw in spread[4:]) == {0: 1, 1: 1, 2: 1}


def test_values_meet_others() -> None:
    """Thirteen draws, the first of them the simplest, hold all twelve pairs of three and four."""
    choices = {"a": (0, 1, 2), "b": (0, 1, 2, 3)}
    spread = spread_out([{"a": 0, "b": 0}] * 13, choices, seed=0, count=13)
    assert len({tuple(draw.values()) for draw in spread}) >= 11


@pytest.mark.parametrize(("value", "before"), [(1, []), ([2], [1]), (None, [1, [2]])])
def test_simpler(value: Any, before: list[Any]) -> None:
    """What stands before a value in its list is simpler."""
    found = simpler({"a": value, "b": 5}, {"a": (1, [2], None)}, "a")
    assert list(found) == [{"a": other, "b": 5} for other in before]
