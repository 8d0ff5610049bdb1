"""Counts how often detectors alarm on flat histories, and how often they find a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.statistics.counts import exact_share
from tests.performance.verdicts.detectors import available
from tests.performance.verdicts.noise import AR_HALF, CV, HEAVY, INDEPENDENT
from tests.performance.verdicts.recording import Recorded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from harness.statistics.counts import Share
    from tests.performance.verdicts.detectors import Detector
    from tests.performance.verdicts.noise import Noise

__all__ = ["history_rows"]

COMMITS, FIRST_LOOK = 60, 14
STEPS = ((0.10, 8), (0.05, 12))
BEFORE = (30, 48, 100)
"""Commits before a step."""

NEAR = 5
"""Commits by which a reported place may lie before the step."""


def history_rows(*, series: int, rival_series: int) -> Iterator[tuple[str, ...]]:
    """Rows: what is counted, noise, detector, count with its interval."""
    noises: tuple[Noise, ...] = (INDEPENDENT, AR_HALF, HEAVY, Recorded(name="recorded"))
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


def alarms(detector: Detector, noise: Noise, series: int, *, seed: int = 1) -> Share:
    """How many flat histories alarm at any commit."""
    looks = range(FIRST_LOOK, COMMITS + 1)
    histories = _histories(noise, series, COMMITS, seed)
    return exact_share(sum(bool(detector(values, looks)) for values in histories), series)


def found(
    detector: Detector,
    noise: Noise,
    series: int,
    *,
    before: int,
    size: float,
    within: int,
    seed: int = 2,
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
