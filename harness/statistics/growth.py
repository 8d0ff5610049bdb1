"""Whether a series grows, and by how much, where the noise is that of memory.

Resident memory is noisy in two ways that fool a line fitted by least squares. Single values stick
out, and what was there once stays: an allocator takes pages in lumps and keeps them, so that
neighbours resemble each other, at worst like a random walk. Two intervals stand against that:

- Sen's interval of the slope, from the ranks of all pairwise slopes. Values that stick out don't
  move it; the variance of its statistic is enlarged for autocorrelation after Hamed & Rao.
- Student's interval of the mean increment. It holds for a random walk, whose increments are
  independent however much its values resemble each other, and for a single lump, which is one
  increment among many. Under independent noise it is wider than it need be.

A series grows for certain where both say so: what is reported is the span of the two.

References:
    Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA 63 (1968).
    Hamed & Rao, "A modified Mann-Kendall trend test for autocorrelated data", J. Hydrology 204
        (1998), equation 20; only autocorrelations beyond 1.96 / sqrt(n) are counted, and the
        variance is never made smaller.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

__all__ = ["FALSE_ALARMS", "FEWEST", "Growth", "growth"]

Float64 = NDArray[np.float64]

FEWEST: Final = 6
"""With five values no 99 % interval of Sen's slope exists."""

FALSE_ALARMS: Final = 0.01
"""Largest share of series without growth that are said to grow: each end has half of it."""

_MOST: Final = 240
"""Longer series are cut into so many blocks, each of which counts by its median."""

_SIGNIFICANT: Final = 1.96


class Growth(NamedTuple):
    """How much a series grows from one value to the next.

    Attributes:
        slope: Sen's estimate: the median of all pairwise slopes.
        low: Lower end of the interval.
        high: Upper end.
    """

    slope: float
    low: float
    high: float

    def beyond(self, limit: float = 0.0) -> bool:
        """Whether it is certain that the growth is larger than this."""
        return self.low > limit


def growth(values: ArrayLike, *, warm_up: int = 0, alpha: float = FALSE_ALARMS) -> Growth:
    """Return the growth of an evenly spaced series, with an interval that honours its noise.

    Args:
        values: Shape (n,), oldest first.
        warm_up: How many of the first are left out: traces and buffers are made in them.
        alpha: The interval misses the growth of a series like those above with at most this
            probability.

    Raises:
        ValueError: Fewer than six values are left, or one is not finite.
    """
    series = np.asarray(values, dtype=np.float64)[warm_up:]
    if series.ndim != 1 or len(series) < FEWEST or not np.isfinite(series).all():
        message = (
            f"values must hold at least {FEWEST} finite numbers behind the warm-up, got "
            f"{len(series)}."
        )
        raise ValueError(message)
    block = math.ceil(len(series) / _MOST)
    if block > 1:
        count = len(series) // block
        series = np.median(series[-count * block :].reshape(count, block), axis=1)
    slope, *sen = _sen(series, alpha)
    student = _student(series, alpha)
    low, high = min(sen[0], student[0]), max(sen[1], student[1])
    return Growth(slope / block, low / block, high / block)


def _sen(series: Float64, alpha: float) -> tuple[float, float, float]:
    count = len(series)
    first, second = np.triu_indices(count, k=1)
    slopes = np.sort((series[second] - series[first]) / (second - first))
    slope = float(np.median(slopes))
    variance = count * (count - 1) * (2 * count + 5) / 18
    variance *= _inflation(series - slope * np.arange(count))
    spread = float(special.ndtri(1.0 - alpha / 2)) * math.sqrt(variance)
    rank = math.floor((len(slopes) - spread) / 2)
    if rank < 0:
        return slope, -math.inf, math.inf
    return slope, float(slopes[rank]), float(slopes[len(slopes) - 1 - rank])


def _inflation(residuals: Float64) -> float:
    """How many times the variance of Kendall's statistic is that of independent values."""
    count = len(residuals)
    ranks = np.argsort(np.argsort(residuals, kind="stable"), kind="stable").astype(np.float64)
    if not np.ptp(residuals):
        return 1.0
    ranks -= ranks.mean()
    correlations = np.correlate(ranks, ranks, "full")[count:] / (ranks @ ranks)
    lags = np.arange(1, count)
    weights = (count - lags) * (count - lags - 1) * (count - lags - 2)
    counted = np.abs(correlations) > _SIGNIFICANT / math.sqrt(count)
    total = float((weights * correlations)[counted].sum())
    return max(1.0 + 2.0 * total / (count * (count - 1) * (count - 2)), 1.0)


def _student(series: Float64, alpha: float) -> tuple[float, float]:
    increments = np.diff(series)
    count = len(increments)
    centre = float(increments.mean())
    error = float(increments.std(ddof=1)) / math.sqrt(count)
    reach = float(special.stdtrit(count - 1, 1.0 - alpha / 2)) * error
    return centre - reach, centre + reach
