"""Dotted keys into plain tables."""

from __future__ import annotations

import pytest

from harness.errors import HarnessUsageError
from harness.spec.paths import MISSING, replaced, value_at

TABLE = {"a": {"b": 1}, "list": [{"x": 1}, "name", 3], "name": "sgd", "pair": (1, 2)}


@pytest.mark.parametrize(
    ("key", "value"),
    [("a.b", 1), ("list.0.x", 1), ("list.2", 3), ("pair.1", 2), ("a", {"b": 1})],
)
def test_value_at(key: str, value: object) -> None:
    """The value under a key, through tables and lists."""
    assert value_at(TABLE, key) == value


@pytest.mark.parametrize(
    "key", ["b", "a.b.c", "list.3", "list.-1", "list.x", "list.²", "a.x.y", ""]
)
def test_value_at_nothing(key: str) -> None:
    """Where nothing is, `MISSING` is."""
    assert value_at(TABLE, key) is MISSING


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"a.b": 2}, {"a": {"b": 2}}),
        ({"a.c.d": 2}, {"a": {"b": 1, "c": {"d": 2}}}),
        ({"new.key": 2}, {"new": {"key": 2}}),
        ({"list.0.x": 2}, {"list": [{"x": 2}, "name", 3]}),
        ({"list.1.x": 2}, {"list": [{"x": 1}, {"kind": "name", "x": 2}, 3]}),
        ({"list.2": 4}, {"list": [{"x": 1}, "name", 4]}),
        ({"pair.0": 4}, {"pair": [4, 2]}),
        ({"name.momentum": 0.5}, {"name": {"kind": "sgd", "momentum": 0.5}}),
        ({"a.b": 5, "a": {"c": 4}}, {"a": {"b": 5, "c": 4}}),
    ],
)
def test_replaced(changes: dict[str, object], expected: dict[str, object]) -> None:
    """Changed is what was asked for and nothing else, shorter keys first; the original stays."""
    before = repr(TABLE)

    assert replaced(TABLE, changes) == TABLE | expected
    assert repr(TABLE) == before


def test_replaced_inside_a_tuple() -> None:
    """A tuple on the way becomes a list."""
    assert replaced({"t": ({"x": 1},)}, {"t.0.x": 2}) == {"t": [{"x": 2}]}


@pytest.mark.parametrize("key", ["a.b.c", "list.3", "list.5.x", "list.2.x", "list.x.y", "new.0.x"])
def test_replaced_at_a_dead_end(key: str) -> None:
    """A key through a number, or past the end of a list, is refused by name."""
    with pytest.raises(HarnessUsageError, match=f"^{key} must lead to a place in the pipeline"):
        replaced(TABLE, {key: 1})
