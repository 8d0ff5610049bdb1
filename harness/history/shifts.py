"""Where the level of a series changed: exactly where nothing else moves, by statistics elsewhere.

Many figures of a training do not scatter at all: on one machine the final loss of a seeded run is
the same to the last bit, commit after commit. Of such a figure another value that comes twice is a
change. Where values scatter, `harness.statistics.changes` decides, with its stated rate of false
alarms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["FEWEST_EQUAL", "ExactShifts", "Shift", "exact_shifts", "moved", "relative_change"]

FEWEST_EQUAL: Final = 10
"""Commits with one and the same value after which another value cannot be scatter.

A figure that takes one of two values by chance, each half of the time, shows ten equal ones in a
row once in 500 tries; one that scatters freely never does.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A change of level.

    Attributes:
        first: Index of the first point of the new level, as well as one can tell.
        earliest: The new level may have begun as early as at this index.
        latest: And has begun at this index at the latest.
        before: The level before, in the unit of the figure.
        after: The level after.
        low: Lower end of the interval of the change, as a fraction of the level before.
        high: Upper end.
    """

    first: int
    earliest: int
    latest: int
    before: float
    after: float
    low: float
    high: float

    @property
    def size(self) -> float:
        """The change as a fraction of the level before; infinite from a level of zero."""
        return relative_change(self.before, self.after)


def moved(shift: Shift, *, by: int) -> Shift:
    """The same change in a series that has so many more points in front."""
    return replace(
        shift, first=shift.first + by, earliest=shift.earliest + by, latest=shift.latest + by
    )


def relative_change(before: float, after: float) -> float:
    """The way from one level to another, as a fraction of the first."""
    if before == after:
        return 0.0
    if before == 0.0:
        return math.copysign(math.inf, after)
    return (after - before) / abs(before)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactShifts:
    """What can be said of the part of a series that does not scatter.

    Attributes:
        shifts: Changes, in order.
        rest: Index from which on values may scatter; their number when none do.
        pending: The newest value is another one, and nothing has repeated it yet.
    """

    shifts: tuple[Shift, ...]
    rest: int
    pending: bool = False


def exact_shifts(values: Sequence[float], repeated: Sequence[bool]) -> ExactShifts:
    """Changes from levels without any scatter.

    The first level is `FEWEST_EQUAL` equal values. A level ends with another value that comes
    twice: at the next point, or in two rows of one point. A value that is gone again at the next
    point was an accident of the machine and is passed over.

    Args:
        values: Finite figures in order.
        repeated: For each of them, whether several rows agree on it.
    """
    shifts: list[Shift] = []
    start = 0
    while start < len(values):
        end = _end_of_level(values, repeated, start)
        # Once a figure has shown that it does not scatter, its further levels may be short.
        if not shifts and _equal(values[start:end]) < FEWEST_EQUAL:
            break
        if end == len(values):
            return ExactShifts(shifts=tuple(shifts), rest=end)
        if not _confirmed(values, repeated, end):
            if end == len(values) - 1:
                return ExactShifts(shifts=tuple(shifts), rest=len(values), pending=True)
            break
        size = relative_change(values[start], values[end])
        shifts.append(
            Shift(
                first=end,
                earliest=end,
                latest=end,
                before=values[start],
                after=values[end],
                low=size,
                high=size,
            )
        )
        start = end
    return ExactShifts(shifts=tuple(shifts), rest=start)


def _equal(values: Sequence[float]) -> int:
    return sum(value == values[0] for value in values)


def _end_of_level(values: Sequence[float], repeated: Sequence[bool], start: int) -> int:
    """Index of the first point that is not of the level, lone accidents apart."""
    end = start
    while end < len(values):
        if values[end] != values[start]:
            back = end + 1 < len(values) and values[end + 1] == values[start]
            if not back or _confirmed(values, repeated, end):
                return end
        end += 1
    return end


def _confirmed(values: Sequence[float], repeated: Sequence[bool], place: int) -> bool:
    return repeated[place] or (place + 1 < len(values) and values[place + 1] == values[place])
