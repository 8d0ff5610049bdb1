"""Lines of keys: right where there is one, none where there is none."""

from __future__ import annotations

import tomllib
from typing import Any

import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from harness.spec.lines import line_of, lines_of

TEXT = '''
# comment = 1
title = "a [table] # not a comment"  # one = 1
"quoted.key" = """
first = 1
[not.a.table]
"escaped" \\""" still inside
ends in quotes """""
'literal' = \'\'\'
also = 2
it''s \'\'\'
[a.b]   # implicit a
x.y = 1
x . z = [
    1,  # one
    # two = 2
    { k = "v, }", l.m = [2] },
    [[3], "]"],
    'p',
]
when = 2024-01-01 10:00:00
empty = []
none = {}

[[list]]
n = 1
[list.sub]
s = 1
[[list.inner]]
i = 1
[[list.inner]]
i = 2

[[ list ]]
n = 2
[[list.inner]]
i = 3
[a]
late = true
'''

EXPECTED = {
    ("title",): 3,
    ("quoted.key",): 4,
    ("literal",): 9,
    ("a", "b"): 12,
    ("a", "b", "x"): 13,
    ("a", "b", "x", "y"): 13,
    ("a", "b", "x", "z"): 14,
    ("a", "b", "x", "z", "0"): 15,
    ("a", "b", "x", "z", "1"): 17,
    ("a", "b", "x", "z", "1", "k"): 17,
    ("a", "b", "x", "z", "1", "l"): 17,
    ("a", "b", "x", "z", "1", "l", "m"): 17,
    ("a", "b", "x", "z", "1", "l", "m", "0"): 17,
    ("a", "b", "x", "z", "2"): 18,
    ("a", "b", "x", "z", "2", "0"): 18,
    ("a", "b", "x", "z", "2", "0", "0"): 18,
    ("a", "b", "x", "z", "2", "1"): 18,
    ("a", "b", "x", "z", "3"): 19,
    ("a", "b", "when"): 21,
    ("a", "b", "empty"): 22,
    ("a", "b", "none"): 23,
    ("list",): 25,
    ("list", "0"): 25,
    ("list", "0", "n"): 26,
    ("list", "0", "sub"): 27,
    ("list", "0", "sub", "s"): 28,
    ("list", "0", "inner"): 29,
    ("list", "0", "inner", "0"): 29,
    ("list", "0", "inner", "0", "i"): 30,
    ("list", "0", "inner", "1"): 31,
    ("list", "0", "inner", "1", "i"): 32,
    ("list", "1"): 34,
    ("list", "1", "n"): 35,
    ("list", "1", "inner"): 36,
    ("list", "1", "inner", "0"): 36,
    ("list", "1", "inner", "0", "i"): 37,
    ("a",): 38,
    ("a", "late"): 39,
}

_KEYS = st.text(min_size=1, max_size=4) | st.sampled_from(["a", "b", "c.d", "[x]", "#", '"'])
_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.booleans() | st.integers(-9, 9) | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=12,
)


def _places(value: Any, place: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    items: dict[str, Any] = {}
    if isinstance(value, dict):
        items = value
    elif isinstance(value, list):
        items = {str(index): item for index, item in enumerate(value)}
    found = {} if place == () else {place: value}
    for key, item in items.items():
        found |= _places(item, (*place, key))
    return found


def test_lines_of_every_form_of_key() -> None:
    """Tables, lists of tables, dotted and quoted keys, inline tables, strings over many lines."""
    tomllib.loads(TEXT)

    assert lines_of(TEXT) == EXPECTED


def test_line_endings_of_windows_count_once() -> None:
    """Carriage returns don't move a line."""
    assert lines_of(TEXT.replace("\n", "\r\n")) == EXPECTED


def test_line_of_a_missing_key_is_that_of_its_table() -> None:
    """A place that is not written down has the line of the nearest table around it, or none."""
    lines = lines_of(TEXT)

    assert line_of(lines, ("list", "1", "n", "deeper", "still")) == 35
    assert line_of(lines, ("list", "1", "missing")) == 34
    assert line_of(lines, ("missing",)) is None
    assert line_of(lines, ()) is None


@given(st.dictionaries(_KEYS, _VALUES, max_size=4))
def test_lines_are_never_wrong(document: dict[str, Any]) -> None:
    """Every line belongs to a place that exists, and the text up to it does not hold the place.

    Cutting the text before the line of a key and at its end shows that the key comes in there.
    """
    text = tomli_w.dumps(document)
    lines = lines_of(text)
    places = _places(tomllib.loads(text))

    assert set(lines) <= set(places)
    scalars = {place for place, value in places.items() if not isinstance(value, dict)}
    assert scalars <= set(lines)
    rows = text.split("\n")
    for place, line in lines.items():
        before = "\n".join(rows[: line - 1])
        assert place not in _prefix_places(before)
        assert place[-1].isdecimal() or _written(place[-1]) in rows[line - 1]


def _written(key: str) -> str:
    return tomli_w.dumps({key: 0}).removesuffix(" = 0\n")


def _prefix_places(text: str) -> dict[tuple[str, ...], Any]:
    """Places of the beginning of a text, as far as it can be read by itself."""
    try:
        return _places(tomllib.loads(text))
    except tomllib.TOMLDecodeError:
        return {}
