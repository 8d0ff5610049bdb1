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
    from numpy.typing import NDArray

    from tests.performance.verdicts.noise import Noise

    Float64 = NDArray[np.float64]

__all__ = ["TABLE", "calibrate", "write_table"]

TABLE = Path(harness.statistics.__file__).parent / "change_bars.json"

BINS = (14, 20, 25, 30, 40, 50, 61, 91, 121)
"""Points at which the bars change; the last bin stands for all longer series, too."""

ALPHA = 0.0095
"""False alarms in the first 60 commits, and in every 60 after; 1 % less the simulation's error."""

SHARES = (0.02, 0.04, 0.06, 0.22, 0.28, 0.38)
"""How the bins of the first 60 commits spend them: late, where most can be found."""

INDEPENDENT_SHARE = 0.85
"""Part of that which the score for independent noise spends; it finds the small changes."""

TAIL = 200
"""Largest scores of a simulation from which the tail beyond them is drawn on."""


def calibrate(*, series: int, seed: int = 0) -> list[dict[str, float]]:
    """Return the bars: from how many points on, and both scores' bars.

    A bar is the worst over the noises of the score's quantile. The tail of a log likelihood ratio
    falls off exponentially, so the quantile is drawn on from the mean excess over the largest.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for number, (first, beyond) in enumerate(pairwise((*BINS, BINS[-1] + 10))):
        if number < len(SHARES):
            alpha = ALPHA * SHARES[number]
        else:
            alpha = ALPHA * (beyond - first) / 60
        ends = np.arange(first, beyond)
        tops = [_tops(noise, rng, series, ends) for noise in CALIBRATED]
        shares = (INDEPENDENT_SHARE, 1 - INDEPENDENT_SHARE)
        bars = [
            max(_quantile(top[score], alpha * share) for top in tops)
            for score, share in enumerate(shares)
        ]
        rows.append(
            {"points": first, "independent": round(bars[0], 3), "correlated": round(bars[1], 3)}
        )
    return rows


def write_table(*, series: int) -> Path:
    """Calibrate and keep the table where the harness reads it."""
    table = {
        "command": f"python -m tests.performance.verdicts calibrate --series {series}",
        "series_per_noise": series,
        "noises": [noise.name for noise in CALIBRATED],
        "false_alarms_per_60_commits": ALPHA,
        "bars": calibrate(series=series),
    }
    TABLE.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    return TABLE


def _tops(
    noise: Noise, rng: np.random.Generator, series: int, ends: NDArray[np.int64], chunk: int = 500
) -> tuple[Float64, Float64]:
    """Largest of both scores over the looks, shape (series,) each."""
    tops = []
    for begin in range(0, series, chunk):
        values = noise.draw(rng, min(chunk, series - begin), int(ends[-1]))
        tops.append([score.max(axis=-1) for score in score_looks(values, ends)])
    independent, correlated = (np.concatenate(parts) for parts in zip(*tops, strict=True))
    return independent, correlated


def _quantile(tops: Float64, alpha: float) -> float:
    """Value that is exceeded with probability `alpha`."""
    largest = np.sort(tops)[-min(TAIL, tops.size // 10) :]
    excess = float(np.mean(largest[1:] - largest[0]))
    return float(largest[0] + excess * np.log(largest.size / tops.size / alpha))
