"""Computes the table of bars that a history's scores must clear, by simulation."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import harness.statistics
from harness.statistics.change_scores import score_looks
from tests.performance.verdicts.noise import CALIBRATED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tests.performance.verdicts.noise import Noise

    Float64 = NDArray[np.float64]
    Int64 = NDArray[np.int64]

__all__ = ["TABLE", "calibrate", "top_scores", "write_table"]

TABLE = Path(harness.statistics.__file__).parent / "change_bars.json"

ALPHA = 0.0088
"""False alarms in the first 60 commits, and in every 60 after: 1 % less the simulation's error."""

FIRST = ((14, 20, 25, 30, 40, 50, 61), (0.02, 0.04, 0.06, 0.22, 0.28, 0.38), 0.6)
LATER = ((61, 121), (1.0,), 0.92)
"""Points at which the bars change; how the stretches between spend the false alarms, in the first
60 commits late, where most can be found; and the part of it that the score for independent noise
spends, which is the one that finds small changes. Longer series keep the last bars."""

TAIL = 0.01
"""Largest scores of a simulation, from which the tail beyond them is drawn on."""


def calibrate(*, series: int, seed: int = 0) -> list[dict[str, float]]:
    """Return the bars: from how many points on, and what both scores must exceed.

    Each bar is first the worst quantile over the noises, for its share of the false alarms. The
    shares are spent as if alarms never came together, so all bars of a period are then lowered by
    one amount, found with fresh series, until the worst noise alarms as often as it may.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for edges, spent, part in (FIRST, LATER):
        ends = np.arange(edges[0], edges[-1])
        shapes = _shape(rng, series, edges, spent, part)
        bars = np.repeat(shapes, np.diff(edges), axis=1)
        surplus = [
            np.max(top_scores(noise, rng, series, ends) - bars[:, None, :], axis=(0, 2))
            for noise in CALIBRATED
        ]
        shift = max(float(np.quantile(values, 1 - ALPHA)) for values in surplus)
        rows += [
            {
                "points": first,
                "independent": round(float(independent + shift), 3),
                "correlated": round(float(correlated + shift), 3),
            }
            for first, independent, correlated in zip(edges[:-1], *shapes, strict=True)
        ]
    return rows


def write_table(*, series: int) -> str:
    """Calibrate and keep the table where the harness reads it; returns its text."""
    table = {
        "command": f"python -m tests.performance.verdicts calibrate --series {series}",
        "series_per_noise": series,
        "noises": [noise.name for noise in CALIBRATED],
        "false_alarms_per_60_commits": ALPHA,
        "bars": calibrate(series=series),
    }
    text = json.dumps(table, indent=2) + "\n"
    TABLE.write_text(text, encoding="utf-8")
    return text


def top_scores(
    noise: Noise, rng: np.random.Generator, series: int, ends: Int64, chunk: int = 200
) -> Float64:
    """Both scores of flat series at each look, shape (2, series, looks)."""
    parts = [
        np.stack(
            score_looks(noise.draw(rng, min(chunk, series - begin), int(ends[-1])), ends)
        ).astype(np.float32)
        for begin in range(0, series, chunk)
    ]
    return np.concatenate(parts, axis=1).astype(np.float64)


def _shape(
    rng: np.random.Generator,
    series: int,
    edges: Sequence[int],
    spent: Sequence[float],
    part: float,
) -> Float64:
    """Bars of each stretch before they are lowered together, shape (2, stretches)."""
    ends = np.arange(edges[0], edges[-1])
    bars = np.full((2, len(spent)), -np.inf)
    for noise in CALIBRATED:
        scores = top_scores(noise, rng, series, ends)
        for number, (first, beyond) in enumerate(pairwise(edges)):
            tops = scores[:, :, first - ends[0] : beyond - ends[0]].max(axis=-1)
            for score, share in enumerate((part, 1 - part)):
                bar = _quantile(tops[score], ALPHA * spent[number] * share)
                bars[score, number] = max(bars[score, number], bar)
    return bars


def _quantile(tops: Float64, alpha: float) -> float:
    """Value that is exceeded with probability `alpha`.

    The tail of a log likelihood ratio falls off exponentially, so it is drawn on from the mean
    excess over the largest values.
    """
    largest = np.sort(tops)[-max(int(TAIL * tops.size), 20) :]
    excess = float(np.mean(largest[1:] - largest[0]))
    return float(largest[0] + excess * np.log(largest.size / tops.size / alpha))
