"""Changes of level in a benchmark's history, judged anew at each commit.

At each commit the evidence for a change (`change_scores`) is held against bars that depend on the
number of points. The bars were found by simulation so that a flat series alarms with at most one
per cent probability in its first 60 commits, and in each 60 after them, under independent,
heavy-tailed (t with 3 degrees of freedom) and correlated (up to 0.5) noise of any size. See
`change_bars.json` for the command that made them and `docs/verdicts.md` for what they keep.

A change restarts the level; the noise goes on being learned from all levels.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from itertools import pairwise

import numpy as np

from harness.statistics.change_places import Place, locate
from harness.statistics.change_scores import AFTER, FEWEST_BEFORE, FEWEST_BETWEEN, score_looks
from harness.statistics.cleaning import Float64, Int64
from harness.statistics.verdict import FigureError

__all__ = ["CONFIDENCE", "FEWEST", "SMALLEST", "Change", "Changes", "find_changes"]

FEWEST = FEWEST_BEFORE + int(AFTER[0])
"""Points before which nothing can be said."""

SMALLEST = 0.01
"""Relative changes below this alarm nobody, however sure they are."""

CHUNK = 64
"""Looks that are scored at once."""

CONFIDENCE = 0.95
"""Of the range of commits and of the interval of the size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of level. Indices count the values as they were given.

    Attributes:
        first: Earliest commit that may be the first with the new level.
        likely: The most likely one.
        last: The latest one.
        found: The commit at whose look the change was first reported.
        ratio: New level over old; 1.1 is ten per cent more.
        low: Lower end of the interval of the ratio.
        high: Upper end.
        acknowledged: Somebody has said that this change is known.
    """

    first: int
    likely: int
    last: int
    found: int
    ratio: float
    low: float
    high: float
    acknowledged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a history holds.

    Attributes:
        changes: In the order of the commits.
        points: Values that were judged: finite, and not quarantined.
        residuals: Logarithm of each judged value less the median of its level, shape (points,).
        start: Judged point at which the present level begins.
    """

    changes: tuple[Change, ...]
    points: int
    residuals: Float64
    start: int


def find_changes(
    values: Sequence[float] | Float64,
    *,
    acknowledged: Sequence[int] = (),
    quarantined: Sequence[int] = (),
    smallest: float = SMALLEST,
) -> Changes:
    """Return all changes that a look at each commit would have reported, oldest first.

    Args:
        values: One positive figure a commit, oldest first; NaN where a commit has none.
        acknowledged: Commits at which a change is known: the level starts anew there.
        quarantined: Commits whose figures do not count.
        smallest: Smallest relative change to report.

    Raises:
        FigureError: A value is not positive, or a commit named does not exist.
    """
    figures = np.asarray(values, dtype=np.float64)
    kept = _kept(figures, quarantined)
    known = _positions(kept, figures.size, acknowledged)
    history = _History(np.log(figures[kept]), smallest)
    for end in (*known, kept.size):
        history.advance(end)
        if end < kept.size:
            history.restart(end)
    return Changes(
        changes=history.reported(kept, known),
        points=kept.size,
        residuals=history.residuals(present=True),
        start=history.starts[-1],
    )


class _History:
    """Goes through a series commit by commit."""

    def __init__(self, logs: Float64, smallest: float) -> None:
        self.logs = logs
        self.smallest = float(np.log1p(smallest))
        self.starts = [0]
        self.found: dict[int, int] = {}
        self.seen = 0

    def advance(self, end: int) -> None:
        """Look at each commit up to `end`, restarting at each change."""
        while (change := self._next(end)) is not None:
            start, seen = change
            self.restart(start)
            self.found[start] = seen
            self.seen = seen

    def restart(self, start: int) -> None:
        """Begin a new level."""
        self.starts.append(start)

    def _next(self, end: int) -> tuple[int, int] | None:
        """The next change that is reported: where it lies, and points known when it is."""
        start = self.starts[-1]
        first = max(self.seen + 1, start + FEWEST_BETWEEN + int(AFTER[0]), FEWEST)
        if first > end:
            return None
        series = self.residuals()
        for begin in range(first, end + 1, CHUNK):
            ends = np.arange(begin, min(begin + CHUNK, end + 1))
            scores = score_looks(series, ends, start=start)
            bars = _bars(ends)
            alarms = (scores.independent > bars[0]) | (scores.correlated > bars[1])
            for points in ends[alarms]:
                place = locate(series[:points], start=start, confidence=CONFIDENCE)
                if abs(place.size) >= self.smallest:
                    return place.likely, int(points)
        return None

    def residuals(self, *, present: bool = False) -> Float64:
        """The series with closed levels taken out, the present one only if asked to."""
        series = self.logs.copy()
        for start, stop in pairwise((*self.starts, series.size) if present else self.starts):
            if stop > start:  # an empty history has an empty level
                series[start:stop] -= np.median(series[start:stop])
        return series

    def reported(self, kept: Int64, known: Sequence[int]) -> tuple[Change, ...]:
        """Each change with its place and size as known today."""
        changes = []
        for number, start in enumerate(self.starts[1:], 1):
            stop = (*self.starts, self.logs.size)[number + 1]
            place = self._place(self.starts[number - 1], stop)
            changes.append(
                Change(
                    first=int(kept[place.first]),
                    likely=int(kept[place.likely]),
                    last=int(kept[place.last]),
                    found=int(kept[self.found.get(start, start + 1) - 1]),
                    ratio=float(np.exp(place.size)),
                    low=float(np.exp(place.low)),
                    high=float(np.exp(place.high)),
                    acknowledged=start in known,
                )
            )
        return tuple(changes)

    def _place(self, start: int, stop: int) -> Place:
        """Place and size from the two levels on both sides and the noise before them."""
        series = self.residuals()
        series[start:stop] = self.logs[start:stop]
        return locate(series[:stop], start=start, confidence=CONFIDENCE)


def _kept(figures: Float64, quarantined: Sequence[int]) -> Int64:
    """Commits that are judged."""
    if figures.ndim != 1:
        message = f"A history must be one figure a commit, got shape {figures.shape}."
        raise FigureError(message)
    keep = ~np.isnan(figures)
    keep[_existing(quarantined, figures.size, "quarantined")] = False
    wrong = np.flatnonzero(keep & ~((figures > 0) & np.isfinite(figures)))
    if wrong.size:
        message = (
            f"values[{wrong[0]}] must be positive, got {figures[wrong[0]]}. Changes are judged as "
            "ratios; give NaN for a commit without a figure."
        )
        raise FigureError(message)
    return np.flatnonzero(keep)


def _positions(kept: Int64, count: int, acknowledged: Sequence[int]) -> list[int]:
    """Judged points at which a level is known to begin."""
    places = np.searchsorted(kept, _existing(acknowledged, count, "acknowledged"))
    return sorted({int(place) for place in places if 0 < place < kept.size})


def _existing(commits: Sequence[int], count: int, name: str) -> Int64:
    wanted = np.asarray(commits, dtype=np.int64)
    wrong = wanted[(wanted < 0) | (wanted >= count)]
    if wrong.size:
        message = f"{name} must name commits from 0 to {count - 1}, got {wrong[0]}."
        raise FigureError(message)
    return wanted


def _bars(ends: Int64) -> tuple[Float64, Float64]:
    """Bars of both scores at each look."""
    points, independent, correlated = _table()
    row = np.searchsorted(points, ends, side="right") - 1
    return independent[row], correlated[row]


@lru_cache(maxsize=1)
def _table() -> tuple[Float64, Float64, Float64]:
    text = resources.files("harness.statistics").joinpath("change_bars.json").read_text("utf-8")
    bars = json.loads(text)["bars"]
    points, independent, correlated = (
        np.array([bar[key] for bar in bars]) for key in ("points", "independent", "correlated")
    )
    return points, independent, correlated
