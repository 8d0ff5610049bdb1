"""Draws: what they may be, and the samples that a file is checked with."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import TypeAdapter

from harness.spec.vary import Draw, DrawSpec, FloatsDraw, ListsDraw

ADAPTER: TypeAdapter[DrawSpec] = TypeAdapter(Draw)


@pytest.mark.parametrize(
    ("table", "samples"),
    [
        ({"integers": [0, 5]}, (0, 5)),
        ({"floats": [-1, 0.5]}, (-1.0, 0.5)),
        ({"floats": [0.1, 0.9], "step": 0.25}, (0.25, 0.75)),
        ({"floats": [0, 1], "inf": True}, (0.0, 1.0, math.inf, -math.inf)),
        ({"booleans": True}, (False, True)),
        ({"sampled_from": ["a", {"b": 1}]}, ("a", {"b": 1})),
        ({"lists": {"integers": [0, 5]}, "length": 2}, ([0, 0], [5, 5])),
        ({"lists": {"booleans": True}, "max_length": 2}, ([False] * 2, [True] * 2, [])),
        (
            {"lists": {"lists": {"integers": [1, 1]}, "length": 1}, "length": 2},
            ([[1], [1]], [[1], [1]]),
        ),
        ({"one_of": [{"integers": [0, 1]}, {"sampled_from": [7]}]}, (0, 1, 7)),
        ({"any": ["optimizer"]}, ({},)),
    ],
)
def test_samples(table: dict[str, Any], samples: tuple[object, ...]) -> None:
    """The ends of what may be drawn, the simplest first."""
    assert ADAPTER.validate_python(table).samples() == samples


def test_nan_is_a_sample() -> None:
    """Not-a-number is tried where it may be drawn."""
    samples = FloatsDraw(floats=(0.0, 1.0), nan=True).samples()

    assert samples[:2] == (0.0, 1.0)
    assert math.isnan(samples[2])


def test_samples_know_their_place() -> None:
    """Each sample comes with the keys that make it."""
    table = {"lists": {"one_of": [{"integers": [0, 1]}, {"floats": [0, 1]}]}, "max_length": 1}

    located = ADAPTER.validate_python(table).located()

    assert [".".join(place) for place, _ in located] == [
        "lists.one_of.0.integers.0",
        "lists.one_of.0.integers.1",
        "lists.one_of.1.floats.0",
        "lists.one_of.1.floats.1",
        "lists.one_of.0.integers.0",
    ]


def test_draws_are_values() -> None:
    """A draw that is a value already passes as itself."""
    draw = ListsDraw(lists=FloatsDraw(floats=(0.0, 1.0)), length=3)

    assert ADAPTER.validate_python(draw) == draw
    assert draw.lengths == (3, 3)
    assert FloatsDraw(floats=(0.5, 2.0)).multiples == (1, 2)
