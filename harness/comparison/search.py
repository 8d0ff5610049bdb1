"""Halves a line of candidates between a good and a bad end; a pure function of what is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.comparison.verdicts import Mark

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Answer", "Border", "search"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Border:
    """Where the marks change, as positions on the line.

    Attributes:
        before: The last candidate known to be like the first one of the line.
        after: The first candidate known to be like the last one.
        between: Candidates between the two that say nothing.
    """

    before: int
    after: int
    between: tuple[int, ...]

    @property
    def exact(self) -> bool:
        """Whether the change comes with `after` and with nothing before it."""
        return not self.between


Answer = Border | int
"""The border once it is found, else the position to be judged next."""


def search(count: int, marks: Mapping[int, Mark]) -> Answer:
    """Where the marks change, or which candidate to judge next to find out.

    The middle of what is left is asked for. Where candidates there say nothing, the nearest to
    the middle that was not asked yet is taken, so that one in the middle that does not build costs
    one more question and not the answer.

    Args:
        count: Candidates on the line; the first and the last are marked, one good and one bad.
        marks: What is known, by position.

    Raises:
        ValueError: The ends are not marked, or alike: there is no border to find.
    """
    first, last = marks.get(0), marks.get(count - 1)
    if {first, last} != {Mark.GOOD, Mark.BAD}:
        message = f"the ends must be one good and one bad, got {first} and {last}."
        raise ValueError(message)
    before = 0
    after = count - 1
    while True:
        inner = range(before + 1, after)
        known = [place for place in inner if marks.get(place) in {first, last}]
        if not known:
            break
        middle = (before + after) / 2
        place = min(known, key=lambda place: (abs(place - middle), place))
        if marks[place] is first:
            before = place
        else:
            after = place
    unasked = [place for place in range(before + 1, after) if place not in marks]
    if unasked:
        middle = (before + after) / 2
        return min(unasked, key=lambda place: (abs(place - middle), place))
    return Border(before=before, after=after, between=tuple(range(before + 1, after)))
