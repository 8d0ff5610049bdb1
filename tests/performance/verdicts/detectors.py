"""What is compared on histories: our verdict and what else people use, under one signature."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import numpy as np

from harness.statistics.changes import find_changes

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Float64 = NDArray[np.float64]
    Detector = Callable[[Float64, range], list[tuple[int, int]]]
    """Takes a series and the numbers of points at which to look; returns the alarms as pairs of
    the look and the first point of the level that is reported as new."""

__all__ = ["available"]

RECENT = 10


def available() -> dict[str, tuple[Detector, bool]]:
    """All detectors that are installed, ours first; and whether one is quick."""
    detectors: dict[str, tuple[Detector, bool]] = {"harness": (ours, True)}
    if importlib.util.find_spec("otava"):
        detectors["Apache Otava, defaults"] = (otava, False)
    if importlib.util.find_spec("ruptures"):
        detectors["ruptures, PELT l2, BIC"] = (pelt, False)
    detectors["5 % off the mean of ten"] = (five_per_cent, True)
    detectors["3 deviations off the mean"] = (three_deviations, True)
    return detectors


def ours(series: Float64, looks: range) -> list[tuple[int, int]]:
    """A look at each commit is what it reports itself."""
    changes = find_changes(series[: looks[-1]]).changes
    return [(change.found + 1, change.likely) for change in changes if change.found + 1 in looks]


def otava(series: Float64, looks: range) -> list[tuple[int, int]]:
    """Window 50, p 0.001, any size: what `otava analyze` does unless told otherwise."""
    from otava.analysis import compute_change_points

    alarms = []
    for look in looks:
        try:
            points, _ = compute_change_points(
                series[:look], window_len=50, max_pvalue=0.001, min_magnitude=0.0
            )
        except ValueError:  # raised now and then on short series: no verdict
            continue
        alarms += [(look, int(point.index)) for point in points]
    return alarms


def pelt(series: Float64, looks: range) -> list[tuple[int, int]]:
    """Changes of the mean; a penalty of 2 s^2 log n, s from the differences of neighbours."""
    import ruptures

    alarms = []
    for look in looks:
        seen = np.log(series[:look])
        deviation = np.median(np.abs(np.diff(seen))) * 1.4826 / np.sqrt(2)
        search = ruptures.Pelt(model="l2", jump=1, min_size=2).fit(seen)
        *points, _ = search.predict(pen=2 * deviation**2 * np.log(look))
        alarms += [(look, int(point)) for point in points]
    return alarms


def five_per_cent(series: Float64, looks: range) -> list[tuple[int, int]]:
    """The newest commit against the mean of the ten before it."""
    return [
        (look, look - 1)
        for look in looks
        if abs(series[look - 1] / series[look - 1 - RECENT : look - 1].mean() - 1) > 0.05
    ]


def three_deviations(series: Float64, looks: range) -> list[tuple[int, int]]:
    """The newest commit against all before it."""
    return [
        (look, look - 1)
        for look in looks
        if abs(series[look - 1] - series[: look - 1].mean()) > 3 * series[: look - 1].std(ddof=1)
    ]
