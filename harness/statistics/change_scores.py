"""How strongly a series speaks for a change of its level, at each of many looks at once.

Noise of a benchmark history is correlated from commit to commit, and a correlated flat series looks
like one with steps. So a step is weighed against the flat series with the correlation that suits it
best: the logarithm of the likelihood ratio of two autoregressions of order one, mean and scale
unknown,

    step k, correlation rho:  y_t = mu + delta [t >= k] + u_t,   u_t = rho u_(t-1) + e_t
    flat, any correlation:    the same with delta = 0.

Two such scores are needed. One assumes steps in noise without correlation; it sees the small ones.
The other assumes the strongest correlation allowed for; it sees large steps in any of these noises.
Both add up the evidence over places, weighted: levels of 7 to 12 points count fully, shorter ones
less, so that only a gross change is reported from four points.

References:
    Shiryaev, "On optimum methods in quickest detection problems", Theory Probab. Appl. 8 (1963):
    adding the evidence over places instead of taking its maximum.
    Andrews & Ploberger, "Optimal tests when a nuisance parameter is present only under the
    alternative", Econometrica 62 (1994): the same for one look, with weights.
"""

from typing import NamedTuple

import numpy as np

from harness.statistics.autoregression import flat_likelihood, look_at, step_likelihood
from harness.statistics.cleaning import Float64, Int64, cleaned_looks

__all__ = [
    "AFTER",
    "FEWEST_BEFORE",
    "FEWEST_BETWEEN",
    "MOST_CORRELATION",
    "WINDOW",
    "Scores",
    "score_looks",
]

AFTER: Int64 = np.arange(4, 25)
"""Points that a new level may have when it is looked for. Three bad commits are no change yet."""

_BEFORE_FULL, _AFTER_FULL = 7, 12
_LOG_WEIGHTS = np.select(
    [AFTER < _BEFORE_FULL, AFTER > _AFTER_FULL],
    [-2.0 * (_BEFORE_FULL - AFTER), -1.5 - 0.25 * (AFTER - _AFTER_FULL - 1)],
    0.0,
)
WEIGHTS: Float64 = np.exp(_LOG_WEIGHTS) / np.exp(_LOG_WEIGHTS).sum()
"""Weight of each entry of `AFTER`."""

FEWEST_BEFORE = 10
"""Points of the first level that a step needs before it, to tell what is noise."""

FEWEST_BETWEEN = 4
"""Points of a later level that a step needs before it: a change may be taken back soon."""

WINDOW = 120
"""Points that a look goes back, at most."""

MOST_CORRELATION = 0.5
"""Largest correlation of neighbouring commits for which the false alarms are stated."""

CORRELATIONS = (0.0, 0.1, 0.2, 0.3, 0.4, MOST_CORRELATION)
BEYOND = 0.6
"""Correlation that a flat series may have against a step in independent noise: the correlation of
a short series is often overestimated, and this step is the one that it is mistaken for."""

WANDERING = (0.7, 0.8, 0.9, 0.95)
HANDICAP = 4.0
"""What a flat series with so much correlation must be likelier by before it counts, in logarithms.
Series that wander or drift then seldom look like steps, and true steps lose nothing."""


class Scores(NamedTuple):
    """Evidence for a change at each look, in natural logarithms, shapes (*series, looks).

    Minus infinity where no place leaves enough points before it.

    Attributes:
        independent: For a step in independent noise.
        correlated: For a step in noise with the strongest correlation allowed for.
    """

    independent: Float64
    correlated: Float64


def score_looks(series: Float64, ends: Int64, *, start: int = 0, window: int = WINDOW) -> Scores:
    """Return the evidence for a change at each look at each series.

    Args:
        series: Shape (*series, points), logarithms; points before `start` are deviations from
            levels that are over, and tell about the noise alone.
        ends: Shape (looks,), number of points known at each look; at least `start` and one.
        start: Where the present level begins.
        window: Points to go back at most.
    """
    values = cleaned_looks(series, ends, start=start, window=window)
    width = values.shape[-1]
    level = np.minimum(ends - start, width)
    look = look_at(values, np.minimum(ends, width), level)
    after = AFTER[: max(width - int(AFTER[0]), 0)]
    flat = [flat_likelihood(look, rho) for rho in (*CORRELATIONS, BEYOND)]
    wandering = [flat_likelihood(look, rho) - HANDICAP for rho in WANDERING]
    correlated = np.max([*flat[:-1], *wandering], axis=0)
    independent = np.maximum(correlated, flat[-1])
    possible = after <= level[:, None] - (FEWEST_BETWEEN if start else FEWEST_BEFORE)
    scores = []
    for rho, best in ((0.0, independent), (MOST_CORRELATION, correlated)):
        step = step_likelihood(look, rho, after)
        ratio = np.where(possible, step - best[..., None], -np.inf)
        with np.errstate(divide="ignore", over="ignore"):
            scores.append(np.log((WEIGHTS[: after.size] * np.exp(ratio)).sum(axis=-1)))
    return Scores(*scores)
