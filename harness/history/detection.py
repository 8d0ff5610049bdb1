"""The detector of `harness.statistics.changes`, in the units of a figure.

It judges logarithms, for most figures move by factors. A figure that may be zero or negative, such
as an accuracy or a log-likelihood, has no logarithm: it is judged on its own scale instead.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from harness.history.shifts import Shift, relative_change
from harness.statistics.change_places import noise_of
from harness.statistics.change_scores import AFTER, FEWEST_BETWEEN, MOST_CORRELATION
from harness.statistics.changes import FEWEST, SMALLEST, find_changes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harness.statistics.changes import Changes

__all__ = ["FEWEST_COMMITS", "FEWEST_SINCE", "SMALLEST", "Detected", "detected"]

FEWEST_COMMITS: Final = FEWEST
"""Points before which nothing can be said about figures that scatter."""

FEWEST_SINCE: Final = FEWEST_BETWEEN + int(AFTER[0])
"""Points of a new level before which nothing further can be said about it."""

_REACH: Final = 0.1
"""Logarithm that stands for the largest deviation of a figure judged on its own scale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detected:
    """What statistics say about figures that scatter.

    Attributes:
        shifts: Changes that a look at each commit would have reported, oldest first.
        correlation: Likeliest correlation of the scatter of neighbours, where it is more than the
            stated rate of false alarms allows for; None where it is not.
    """

    shifts: tuple[Shift, ...]
    correlation: float | None = None


def detected(
    values: Sequence[float], *, known: Sequence[int] = (), smallest: float = SMALLEST
) -> Detected:
    """Changes of level, and whether false alarms are bounded as stated.

    Args:
        values: Finite figures, one a commit, oldest first.
        known: Indexes at which a new level is known to begin. Those changes are not returned.
        smallest: Smaller changes are not reported, as a fraction; of figures that may be zero
            all are.
    """
    figures = np.asarray(values, dtype=np.float64)
    positive = bool(np.all(figures > 0))
    scale = 1.0 if positive else _scale(figures)
    shown = figures if positive else np.exp((figures - np.median(figures)) / scale)
    found = find_changes(shown, acknowledged=known, smallest=smallest if positive else 0.0)
    starts = [0, *(change.likely for change in found.changes)]
    shifts = []
    for start, change in zip(starts, found.changes, strict=False):
        if change.acknowledged:
            continue
        before = float(np.median(figures[start : change.likely]))
        fractions = [
            ratio - 1 if positive else _fraction(before, scale * math.log(ratio))
            for ratio in (change.ratio, change.low, change.high)
        ]
        after = before * change.ratio if positive else before + scale * math.log(change.ratio)
        shifts.append(
            Shift(
                first=change.likely,
                earliest=change.first,
                latest=change.last,
                before=before,
                after=after,
                low=min(fractions),
                high=max(fractions),
            )
        )
    return Detected(shifts=tuple(shifts), correlation=_too_correlated(found))


def _too_correlated(found: Changes) -> float | None:
    if found.points < FEWEST or not np.any(found.residuals):
        return None
    _, correlation = noise_of(found.residuals)
    # An estimate from so few points is uncertain by about this much.
    beyond = correlation > MOST_CORRELATION + 2 / math.sqrt(found.points)
    return float(correlation) if beyond else None


def _scale(figures: NDArray[np.float64]) -> float:
    """What makes the largest deviation from the middle a logarithm of `_REACH`."""
    reach = float(np.max(np.abs(figures - np.median(figures))))
    return reach / _REACH or 1.0


def _fraction(before: float, moved: float) -> float:
    return relative_change(before, before + moved)
