"""What a weight constraint promises, and where it puts a weight.

Norms are divided by themselves plus 1e-7 in Keras, so a promise is kept up to that.
"""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple, assert_never, get_args

import numpy as np

from harness.oracles.arrays import Float64, require_known

Constraint = Literal["non_neg", "unit_norm", "max_norm", "min_max_norm"]
CONSTRAINTS: tuple[str, ...] = get_args(Constraint)

EPSILON = 1e-7
"""`keras.config.epsilon()`, which keeps the norm of zeros from being divided by."""


class Projection(NamedTuple):
    """Where a constraint puts a weight; build it with `make_projection`.

    Attributes:
        constraint: Keras' name of it.
        low: Smallest norm, in units of the weight; for `non_neg` the smallest element.
        high: Largest norm.
        rate: Share of the way to the limits that one projection goes.
        axis: Axes that a norm is taken over.
    """

    constraint: Constraint
    low: float = 0.0
    high: float = math.inf
    rate: float = 1.0
    axis: tuple[int, ...] = (0,)


def make_projection(
    constraint: Constraint,
    *,
    min_value: float = 0.0,
    max_value: float | None = None,
    rate: float = 1.0,
    axis: Sequence[int] = (0,),
) -> Projection:
    """Return the projection of a Keras constraint, its defaults filled in.

    Args:
        constraint: Keras' name of it.
        min_value: Smallest norm, of `min_max_norm` only.
        max_value: Largest norm; None is 2 for `max_norm` and 1 for `min_max_norm`.
        rate: Share of the way that one projection goes, of `min_max_norm` only.
        axis: Axes that a norm is taken over.

    Raises:
        ArgumentError: The name is none of `CONSTRAINTS`.
    """
    require_known("constraint", constraint, CONSTRAINTS)
    over = tuple(axis)
    match constraint:
        case "non_neg":
            return Projection("non_neg")
        case "unit_norm":
            return Projection("unit_norm", 1.0, 1.0, axis=over)
        case "max_norm":
            return Projection("max_norm", 0.0, 2.0 if max_value is None else max_value, axis=over)
        case "min_max_norm":
            high = 1.0 if max_value is None else max_value
            return Projection("min_max_norm", min_value, high, rate, over)
        case _:  # pragma: no cover
            assert_never(constraint)


def projected(projection: Projection, weight: Float64) -> Float64:
    """Return the weight that a constraint makes of `weight`, same shape.

    A norm n becomes ``rate * clip(n, low, high) + (1 - rate) * n``, and its weights keep their
    direction, but for the 1e-7 that Keras adds to n. `non_neg` puts elements below 0 to 0 and
    leaves the others alone.

    Example:
        >>> projected(make_projection("non_neg"), np.array([-1.0, 2.0])).tolist()
        [0.0, 2.0]

    References:
        Keras, `keras.constraints.MinMaxNorm`, argument `rate`.
    """
    if projection.constraint == "non_neg":
        return np.maximum(weight, 0.0)
    norms = _norms(projection, weight)
    inside = np.clip(norms, projection.low, projection.high)
    wanted = projection.rate * inside + (1.0 - projection.rate) * norms
    found: Float64 = weight * (wanted / (EPSILON + norms))
    return found


def excess(projection: Projection, weight: Float64) -> float:
    """Return by how much a weight breaks its constraint; 0 where it keeps it, NaN for NaN.

    What is zero has no direction, so no projection gives it a norm; it is left out. How far a
    `rate` below 1 has come is not asked.

    Example:
        >>> excess(make_projection("max_norm"), np.array([[3.0], [4.0]]))
        3.0

    Args:
        projection: The constraint.
        weight: Shape (*dims), with all axes of the projection.

    References:
        Keras, `keras.constraints`: projections "after each gradient update".
    """
    if projection.constraint == "non_neg":
        return float(np.max(-weight, initial=0.0))
    norms = _norms(projection, weight)
    below = np.where(norms == 0.0, 0.0, projection.low - norms)
    return float(np.max(np.maximum(norms - projection.high, below), initial=0.0))


def _norms(projection: Projection, weight: Float64) -> Float64:
    norms: Float64 = np.sqrt(np.sum(weight**2, axis=projection.axis, keepdims=True))
    return norms
