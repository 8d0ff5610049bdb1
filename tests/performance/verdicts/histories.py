"""Counts how often detectors alarm on flat histories, and how often they find a step."""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from harness.history.detection import detected
from harness.statistics.changes import FEWEST, find_changes
from tests.performance.counts import exact_share
from tests.performance.verdicts.detectors import available, ours
from tests.performance.verdicts.noise import AR_HALF, CV, HEAVY, INDEPENDENT, Noise
from tests.performance.verdicts.recording import Recorded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tests.performance.counts import Share
    from tests.performance.verdicts.detectors import Detector

__all__ = ["history_rows", "limit_rows", "quality_rows", "verdict_costs"]

COMMITS = 60
LOOKS = range(FEWEST, COMMITS + 1)
STEPS = ((0.10, 8), (0.05, 12))
BEFORE = (30, 48, 100)
"""Commits before a step."""

NEAR = 5
"""Commits by which a reported place may lie before the step."""


def history_rows(*, series: int, rival_series: int) -> Iterator[tuple[str, str, str, str]]:
    """Cells: what is counted, noise, detector, count with its interval."""
    noises = _noises()
    for noise in noises:
        for name, (detector, quick) in available().items():
            count = series if quick else rival_series
            share = alarms(detector, noise, count)
            yield f"flat, {COMMITS} commits: ever alarms", noise.name, name, str(share)
    for before in BEFORE:
        for size, within in STEPS:
            for noise in noises:
                for name, (detector, quick) in available().items():
                    count = (series if quick else rival_series) // 2
                    share = found(detector, noise, count, before=before, size=size, within=within)
                    what = f"{size:.0%} step after {before}: found within {within}"
                    yield what, noise.name, name, str(share)


def limit_rows(*, series: int) -> Iterator[tuple[str, str, str, str]]:
    """Cells: our alarms later in a long history, and under more correlation than is allowed for."""
    later = range(COMMITS + 1, 2 * COMMITS + 1)
    for noise in _noises():
        share = alarms(ours, noise, series, looks=later)
        yield (
            f"flat, commits {later[0]} to {later[-1]}: ever alarms",
            noise.name,
            "harness",
            str(share),
        )
    for correlation in (0.6, 0.7, 0.9):
        noise = Noise(name=f"AR(1) {correlation}", correlation=correlation)
        share = alarms(ours, noise, series)
        what = f"flat, {COMMITS} commits, correlated above what is allowed for: ever alarms"
        yield what, noise.name, "harness", str(share)


def quality_rows(*, series: int) -> Iterator[tuple[str, str, str, str]]:
    """Cells: how often the 95 % ranges of our verdict hold the truth, 24 commits after a step."""
    before, size, after = BEFORE[1], STEPS[0][0], 24
    what = f"{size:.0%} step after {before}, {after} commits later: 95 % ranges hold the truth"
    for noise in _noises():
        histories = _histories(noise, series, before + after, seed=24)
        histories[:, before:] *= 1 + size
        changes = [find_changes(values).changes for values in histories]
        near = [
            min(some, key=lambda change: abs(change.likely - before)) for some in changes if some
        ]
        place = sum(change.first <= before <= change.last for change in near)
        ratio = sum(change.low <= 1 + size <= change.high for change in near)
        width = np.mean([change.last - change.first + 1 for change in near])
        yield what, noise.name, "commits", str(exact_share(place, len(near)))
        yield what, noise.name, "size", str(exact_share(ratio, len(near)))
        yield what, noise.name, "commits in the range", f"{width:.1f}"


def verdict_costs() -> Iterator[str]:
    """Milliseconds of processor time of our verdict on histories of some lengths."""
    for points, steps in ((60, 0), (60, 1), (500, 0), (500, 4)):
        (values,) = _histories(INDEPENDENT, 1, points, seed=25)
        for number in range(steps):
            values[(number + 1) * points // (steps + 1) :] *= 1.1
        spent = []
        for _ in range(20):
            begin = time.process_time()
            detected(values.tolist())
            spent.append(time.process_time() - begin)
        yield f"{1e3 * median(spent):.1f} ms ({points} commits, {steps} changes)"


def _noises() -> tuple[Noise, ...]:
    return INDEPENDENT, AR_HALF, HEAVY, Recorded(name="recorded")


def alarms(
    detector: Detector, noise: Noise, series: int, *, looks: range = LOOKS, seed: int = 21
) -> Share:
    """How many flat histories alarm at any of the looks."""
    histories = _histories(noise, series, looks[-1], seed)
    return exact_share(sum(bool(detector(values, looks)) for values in histories), series)


def found(
    detector: Detector,
    noise: Noise,
    series: int,
    *,
    before: int,
    size: float,
    within: int,
    seed: int = 22,
) -> Share:
    """How many histories alarm for the step, and say about where, in the commits after it."""
    looks = range(before + 1, before + within + 1)
    histories = _histories(noise, series, before + within, seed)
    histories[:, before:] *= 1 + size
    hits = sum(
        any(place >= before - NEAR for _, place in detector(values, looks)) for values in histories
    )
    return exact_share(hits, series)


def _histories(noise: Noise, series: int, points: int, seed: int) -> NDArray[np.float64]:
    logs = noise.draw(np.random.default_rng(seed), series, points)
    return np.asarray(np.exp(CV * logs))
