"""Halving finds every border, asks few, and never asks twice."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.comparison.search import Border, search
from harness.comparison.verdicts import Mark

GOOD, BAD, SKIP = Mark.GOOD, Mark.BAD, Mark.SKIP


def _run(truth: list[Mark]) -> tuple[Border, list[int]]:
    marks = {0: truth[0], len(truth) - 1: truth[-1]}
    asked = []
    while isinstance(answer := search(len(truth), marks), int):
        assert answer not in marks
        asked.append(answer)
        marks[answer] = truth[answer]
    return answer, asked


@given(st.integers(2, 300), st.data())
def test_the_border_is_found_by_halving(count: int, data: st.DataObject) -> None:
    """In either direction, with at most one question a halving."""
    after = data.draw(st.integers(1, count - 1))
    ends = data.draw(st.sampled_from([(GOOD, BAD), (BAD, GOOD)]))
    border, asked = _run([ends[0]] * after + [ends[1]] * (count - after))

    assert border == Border(before=after - 1, after=after, between=())
    assert border.exact
    assert len(asked) <= math.ceil(math.log2(count))


@given(st.integers(1, 20), st.integers(1, 20), st.data())
def test_what_cannot_be_judged_never_hides_the_border(
    goods: int, bads: int, data: st.DataObject
) -> None:
    """Exactly the silent candidates beside the border are left open."""
    truth = [GOOD] * goods + [BAD] * bads
    inner = st.sets(st.integers(1, len(truth) - 2)) if len(truth) > 2 else st.just(set())
    for place in data.draw(inner):
        truth[place] = SKIP
    border, asked = _run(truth)

    before = max(place for place in range(goods) if truth[place] is GOOD)
    after = min(place for place in range(goods, len(truth)) if truth[place] is BAD)
    assert border == Border(before=before, after=after, between=tuple(range(before + 1, after)))
    assert len(asked) == len(set(asked))


def test_a_silent_middle_is_gone_around() -> None:
    """The nearest neighbour that was not asked comes next."""
    marks = {0: GOOD, 8: BAD, 4: SKIP}

    assert search(9, marks) == 3
    assert search(9, marks | {3: SKIP}) == 5


@pytest.mark.parametrize("ends", [(GOOD, GOOD), (BAD, BAD), (GOOD, SKIP)])
def test_ends_must_differ(ends: tuple[Mark, Mark]) -> None:
    """There is no border between two of a kind."""
    with pytest.raises(ValueError, match="one good and one bad"):
        search(3, {0: ends[0], 2: ends[1]})
