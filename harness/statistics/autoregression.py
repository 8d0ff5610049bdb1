"""Likelihood of a flat series and of a step under autoregressive noise, for many looks at once.

    y_t = mu + delta [t >= k] + u_t,   u_t = rho u_(t-1) + e_t,   e_t independent, one scale

Level, step and scale are replaced by their best values, the first point has its stationary
distribution. Points before the present level are deviations with mean zero: they tell about the
noise alone. All sums over time are polynomials in rho, so that one pass over the points serves all
correlations and all places.

References:
    Hamilton, "Time series analysis" (1994), section 5.2: the exact likelihood.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from harness.statistics.cleaning import Float64, Int64

__all__ = ["Look", "flat_likelihood", "look_at", "step_fit", "step_likelihood"]

RESOLUTION = 1e-9
"""Noise below this counts as none: a series of equal figures must not divide by zero."""


class Look(NamedTuple):
    """What the likelihoods of a series need at each look, shapes (*series, looks) unless said.

    Attributes:
        values: The points, newest last, shape (*series, looks, width).
        tails: Sum of the last j points for j = 0, 1, ..., shape (*series, looks, width + 1).
        known: Points at each look, shape (looks,).
        level: Points of the present level among them, shape (looks,).
        squares: Sum of the squares.
        products: Sum of the products of neighbours.
        lagged: Sum of the squares without the newest.
        first: Oldest point.
        opening: First point of the present level.
        before: The point before that; zero where there is none.
        present: Sum of the present level.
    """

    values: Float64
    tails: Float64
    known: Int64
    level: Int64
    squares: Float64
    products: Float64
    lagged: Float64
    first: Float64
    opening: Float64
    before: Float64
    present: Float64


def look_at(values: Float64, known: Int64, level: Int64) -> Look:
    """Return the sums over points that are right-aligned and zero where there are none.

    Args:
        values: Shape (*series, looks, width).
        known: Points at each look, shape (looks,), at most the width.
        level: Points of the present level, shape (looks,), at most `known`.
    """
    rows, width = np.arange(known.size), values.shape[-1]
    begin = width - level
    previous = values[..., rows, np.maximum(begin - 1, 0)]
    nothing = np.zeros((*values.shape[:-1], 1))
    tails = np.concatenate([nothing, np.cumsum(values[..., ::-1], axis=-1)], axis=-1)
    return Look(
        values=values,
        tails=tails,
        known=known,
        level=level,
        squares=np.square(values).sum(axis=-1),
        products=(values[..., 1:] * values[..., :-1]).sum(axis=-1),
        lagged=np.square(values[..., :-1]).sum(axis=-1),
        first=values[..., rows, width - known],
        opening=values[..., rows, begin],
        before=np.where(level < known, previous, 0.0),
        present=tails[..., rows, level],
    )


def flat_likelihood(look: Look, rho: Sequence[float]) -> Float64:
    """Return the log likelihood of a flat series, shape (correlations, *series, looks)."""
    each = np.asarray(rho, np.float64).reshape(-1, *(1 for _ in look.first.shape))
    squares, product, norm = _whitened(look, each)
    return _log_likelihood(squares - product**2 / norm, look.known, each)


def step_likelihood(look: Look, rho: float, after: Int64) -> Float64:
    """Return the log likelihood of each step, shape (*series, looks, places).

    Args:
        look: The points.
        rho: Correlation of neighbouring points.
        after: Points of the new level, shape (places,), each at least one and below the width.
    """
    left, _, _ = _step(look, rho, after)
    return _log_likelihood(left, look.known[:, None], rho)


def step_fit(look: Look, rho: float, after: Int64) -> tuple[Float64, Float64]:
    """Return the best size of each step and its standard error, shapes (*series, looks, places)."""
    left, gain, free = _step(look, rho, after)
    spare = np.maximum(look.known[:, None] - 3, 1)  # level, step and scale are fitted
    return gain / free, np.sqrt(np.maximum(left, 0.0) / spare / free)


def _whitened(look: Look, rho: float | Float64) -> tuple[Float64, Float64, Float64]:
    """Sum of squares, product with the level's regressor, and that regressor's square."""
    root = np.sqrt(1.0 - rho**2)
    squares = look.squares - 2 * rho * look.products + rho**2 * (look.lagged - look.first**2)
    whole = look.level == look.known
    weight = np.where(whole, root, 1.0)
    opening = np.where(whole, root * look.opening, look.opening - rho * look.before)
    later = look.present - look.opening
    lagged = look.present - look.values[..., -1]
    product = weight * opening + (1 - rho) * (later - rho * lagged)
    return squares, product, weight**2 + (look.level - 1) * (1 - rho) ** 2


def _step(look: Look, rho: float, after: Int64) -> tuple[Float64, Float64, Float64]:
    """Sum of squares with the step fitted, its product with the rest, its free square."""
    squares, product, norm = (part[..., None] for part in _whitened(look, rho))
    width = look.values.shape[-1]
    at_step = look.values[..., width - after] - rho * look.values[..., width - after - 1]
    lagged = look.tails[..., after] - look.values[..., -1:]
    gain = at_step + (1 - rho) * (look.tails[..., after - 1] - rho * lagged)
    overlap = (1 - rho) + (after - 1) * (1 - rho) ** 2
    own = 1 + (after - 1) * (1 - rho) ** 2
    gain = gain - overlap * product / norm
    free = np.maximum(own - overlap**2 / norm, RESOLUTION)  # where no level is left before it
    return squares - product**2 / norm - gain**2 / free, gain, free


def _log_likelihood(squares: Float64, known: Int64, rho: float | Float64) -> Float64:
    floor = known * RESOLUTION**2
    value = np.log(1 - rho**2) / 2 - known / 2 * np.log(np.maximum(squares, 0.0) + floor)
    return np.asarray(value, dtype=np.float64)
