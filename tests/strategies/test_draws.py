"""Draw tables as Hypothesis strategies: what they produce and what they shrink to."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from pydantic import TypeAdapter

from harness.spec import parse_scenario
from harness.spec.vary import Draw
from harness.strategies import draws, strategy_for

ADAPTER: TypeAdapter[Any] = TypeAdapter(Draw)
MANY = settings(
    max_examples=300,
    phases=[Phase.generate],
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def drawn(table: dict[str, Any]) -> list[Any]:
    """Return a few hundred values of a draw."""
    values: list[Any] = []

    @MANY
    @given(strategy_for(ADAPTER.validate_python(table)))
    def collect(value: Any) -> None:
        values.append(value)

    collect()
    return values


def smallest(table: dict[str, Any], wanted: Callable[[Any], bool]) -> Any:
    """Return what Hypothesis shrinks a draw to while it still is what is wanted."""
    return find(
        strategy_for(ADAPTER.validate_python(table)),
        wanted,
        settings=settings(database=None, derandomize=True, max_examples=2000),
    )


def test_integers_stay_within_both_ends() -> None:
    """Both ends belong to the range, nothing beyond them does."""
    assert set(drawn({"integers": [2, 5]})) == {2, 3, 4, 5}


def test_floats_stay_within_both_ends() -> None:
    """Without nan and inf nothing but numbers of the range comes."""
    values = drawn({"floats": [-0.5, 2.0]})

    assert all(-0.5 <= value <= 2.0 for value in values)
    assert len(set(values)) > 100


def test_floats_leave_out_subnormal_numbers() -> None:
    """A number that some processors flush to zero is never drawn."""
    values = drawn({"floats": [0.0, 1e-300]})

    assert not [value for value in values if 0 < value < 2.2e-308]


def test_floats_between_subnormal_ends_can_be_drawn() -> None:
    """Who names such an end gets such numbers."""
    assert all(1e-310 <= value <= 1e-309 for value in drawn({"floats": [1e-310, 1e-309]}))


def test_steps_are_multiples_rounded_inwards() -> None:
    """An end that is no multiple is not drawn; the multiples inside are."""
    assert set(drawn({"floats": [-0.6, 1.1], "step": 0.5})) == {-0.5, 0.0, 0.5, 1.0}


@pytest.mark.parametrize("step", [None, 0.25])
def test_special_floats_come_now_and_then(step: float | None) -> None:
    """NaN and both infinities are drawn, and finite numbers more often than all of them."""
    table = {"floats": [-1.0, 1.0], "nan": True, "inf": True}
    table |= {} if step is None else {"step": step}
    values = [value for script in drawn({"lists": table, "length": 8}) for value in script]

    special = [value for value in values if not math.isfinite(value)]
    assert {str(value) for value in special} == {"nan", "inf", "-inf"}
    assert 0.1 < len(special) / len(values) < 0.5


def test_booleans_are_both() -> None:
    """False and true are drawn."""
    assert set(drawn({"booleans": True})) == {False, True}


def test_sampled_from_draws_whole_tables() -> None:
    """Values may be tables, and each of them is drawn."""
    tables = [{"kind": "sgd"}, {"kind": "adam", "beta_1": 0.5}]

    values = drawn({"sampled_from": tables})

    assert all(value in tables for value in values)
    assert all(table in values for table in tables)


def test_lists_have_lengths_in_range() -> None:
    """Lengths cover the range; elements are what the inner draw gives."""
    values = drawn({"lists": {"integers": [0, 1]}, "min_length": 1, "max_length": 3})

    assert {len(value) for value in values} == {1, 2, 3}
    assert {element for value in values for element in value} == {0, 1}


def test_lists_of_lists_have_exact_lengths() -> None:
    """An exact length is kept at every level."""
    rows = {"lists": {"floats": [0.0, 1.0], "step": 0.5}, "length": 2}

    assert {(len(value), len(value[0])) for value in drawn({"lists": rows, "length": 3})} == {
        (3, 2)
    }


def test_one_of_draws_each() -> None:
    """Every alternative comes."""
    values = drawn({"one_of": [{"integers": [0, 1]}, {"sampled_from": ["auto"]}]})

    assert set(values) == {0, 1, "auto"}


@pytest.mark.parametrize(
    ("table", "wanted", "expected"),
    [
        ({"integers": [-5, 9]}, lambda value: value > 3, 4),
        ({"integers": [3, 9]}, lambda _: True, 3),
        ({"floats": [-4.0, 4.0], "step": 0.25}, lambda value: value > 0.6, 0.75),
        ({"floats": [-4.0, 4.0], "step": 0.25}, lambda value: value < -0.6, -0.75),
        ({"floats": [0.6, 4.0], "step": 0.25}, lambda _: True, 0.75),
        ({"floats": [-4.0, 4.0], "nan": True, "inf": True}, lambda _: True, 0.0),
        ({"booleans": True}, lambda _: True, False),
        ({"sampled_from": ["b", "a"]}, lambda _: True, "b"),
        ({"one_of": [{"integers": [1, 2]}, {"booleans": True}]}, lambda _: True, 1),
        ({"lists": {"integers": [0, 9]}, "min_length": 2}, lambda _: True, [0, 0]),
        (
            {"lists": {"floats": [-2.0, 2.0], "step": 0.5, "nan": True}, "length": 3},
            lambda value: value[1] >= 1,
            [0.0, 1.0, 0.0],
        ),
    ],
)
def test_shrinks_to_the_simplest(
    table: dict[str, Any], wanted: Callable[[Any], bool], expected: Any
) -> None:
    """Numbers shrink towards zero or the end next to it, choices towards the first."""
    assert smallest(table, wanted) == expected


def test_draws_has_a_value_under_every_key() -> None:
    """The whole vary table becomes one dictionary of dotted keys that make a pipeline."""
    scenario = parse_scenario(
        """
        title = "Anything at all"
        [vary]
        seed = { integers = [0, 3] }
        "optimizer.momentum" = { floats = [0.0, 1.0], step = 0.5 }
        [[expect]]
        kind = "invariant"
        name = "counts_agree"
        """,
        path="scenarios/area/anything.toml",
    )
    seen: list[dict[str, Any]] = []

    @MANY
    @given(draws(scenario.spec.vary))
    def collect(draw: dict[str, Any]) -> None:
        seen.append(draw)

    collect()
    assert {tuple(draw) for draw in seen} == {("seed", "optimizer.momentum")}
    assert len(seen) == 4 * 3
    assert {scenario.pipeline_for(draw).seed for draw in seen} == {0, 1, 2, 3}
