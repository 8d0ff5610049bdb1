"""Centre of a symmetric distribution with an exact interval, whatever its tails.

The statistic of Wilcoxon counts, over all pairs i <= j of n values, how many averages
(x_i + x_j) / 2 lie below a point. Under symmetry about that point its distribution is known exactly
for every n, because only the signs are left to chance. Inverting the test gives an interval from
one order statistic of these averages to another; their median is the estimate of Hodges and
Lehmann. It loses 4.5 % against the mean under normal noise, gains without bound under heavy tails,
and stays put while fewer than 29 % of the values are wrong.

References:
    Hodges & Lehmann, "Estimates of location based on rank tests", Ann. Math. Statist. 34 (1963).
    Hollander, Wolfe & Chicken, "Nonparametric statistical methods", 3rd edition, section 3.3.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from harness.statistics.verdict import FigureError

__all__ = ["EXACT_UP_TO", "Centres", "centres", "fewest_values", "signed_rank_tail"]

Float64 = NDArray[np.float64]

EXACT_UP_TO = 300
"""Largest number of values whose distribution is counted out; above it the normal limit serves."""


class Centres(NamedTuple):
    """Estimates and intervals of one or many samples of the same size.

    Attributes:
        estimate: Median of the pairwise averages.
        low: Lower end of the interval; minus infinity where the sample is too small for the level.
        high: Upper end.
        tail: Probability, under symmetry, that the true centre lies beyond one end: at most half
            of what was asked for, less because a distribution on integers cannot hit every level.
    """

    estimate: Float64
    low: Float64
    high: Float64
    tail: float


def centres(values: Float64, *, alpha: float) -> Centres:
    """Return centre and two-sided interval of each sample, shapes (*samples) of (*samples, n).

    Args:
        values: Shape (*samples, n); each row drawn from a distribution symmetric about its centre.
        alpha: The interval misses the centre with at most this probability.

    Raises:
        FigureError: There are no values, one is not finite, or `alpha` is outside (0, 1).
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim == 0 or values.shape[-1] == 0 or not np.isfinite(values).all():
        message = "The values of a sample must be finite and at least one. Leave failed runs out."
        raise FigureError(message)
    if not 0.0 < alpha < 1.0:
        message = f"alpha must lie in (0, 1), got {alpha}. It is the probability of an error."
        raise FigureError(message)
    count = values.shape[-1]
    first, second = np.triu_indices(count)
    averages = np.sort(values[..., first] / 2 + values[..., second] / 2, axis=-1)
    estimate = np.median(averages, axis=-1)
    rank, tail = _rank(count, alpha)
    if rank == 0:
        unbounded = np.full(estimate.shape, np.inf)
        return Centres(estimate, -unbounded, unbounded, 0.0)
    return Centres(estimate, averages[..., rank - 1], averages[..., -rank], tail)


def fewest_values(alpha: float) -> int:
    """Return the smallest sample that can exclude anything at level `alpha`: 2 / 2**n <= alpha."""
    return max(1, int(np.ceil(1 - np.log2(alpha))))


@lru_cache(maxsize=64)
def signed_rank_tail(count: int) -> Float64:
    """Return P(W <= w) for w = 0, 1, ... of the signed-rank statistic of `count` values."""
    if count > EXACT_UP_TO:
        total = count * (count + 1) / 2
        deviation = np.sqrt(total * (2 * count + 1) / 12)
        tail = special.ndtr((np.arange(total + 1) + 0.5 - total / 2) / deviation)
    else:
        mass = np.ones(1)
        for rank in range(1, count + 1):
            longer = np.zeros(mass.size + rank)
            longer[: mass.size] += mass / 2
            longer[rank:] += mass / 2
            mass = longer
        tail = np.cumsum(mass)
    tail.setflags(write=False)
    return np.asarray(tail, dtype=np.float64)


@lru_cache(maxsize=256)
def _rank(count: int, alpha: float) -> tuple[int, float]:
    """Which smallest average bounds the interval (0: none does), and the tail beyond it."""
    tail = signed_rank_tail(count)
    rank = int(np.searchsorted(tail, alpha / 2, side="right"))
    return rank, float(tail[rank - 1]) if rank else 0.0
