"""What a weight constraint promises: how far a weight is from keeping it.

Keras' defaults: norms are those of the columns (`axis=0`), `max_norm` allows 2, `min_max_norm`
0 to 1. Norms are divided by themselves plus 1e-7 there, so a promise is kept up to that.
"""

from typing import Literal, get_args

import numpy as np

from harness.oracles.arrays import Float64, require_known

Constraint = Literal["non_neg", "unit_norm", "max_norm", "min_max_norm"]
CONSTRAINTS: tuple[str, ...] = get_args(Constraint)

MAX_NORM = 2.0
"""Default `max_value` of `keras.constraints.MaxNorm`."""

MIN_MAX_NORM = (0.0, 1.0)
"""Defaults `min_value` and `max_value` of `keras.constraints.MinMaxNorm`."""


def excess(constraint: Constraint, weight: Float64) -> float:
    """Return by how much a weight breaks its constraint; 0 where it keeps it, NaN for NaN.

    A column of zeros has no direction, so no projection gives it a norm; it is left out.

    Example:
        >>> excess("max_norm", np.array([[3.0], [4.0]]))
        3.0

    Args:
        constraint: Keras' name of the constraint, with the defaults of Keras.
        weight: Shape (rows, *dims); its norms are taken over the rows.

    Raises:
        ArgumentError: The name is none of `CONSTRAINTS`.

    References:
        Keras, `keras.constraints`: projections "after each gradient update".
    """
    require_known("constraint", constraint, CONSTRAINTS)
    if constraint == "non_neg":
        return float(np.max(-weight, initial=0.0))
    norms = np.sqrt(np.sum(weight**2, axis=0))
    low, high = {
        "unit_norm": (1.0, 1.0),
        "max_norm": (0.0, MAX_NORM),
        "min_max_norm": MIN_MAX_NORM,
    }[constraint]
    below = np.where(norms == 0.0, 0.0, low - norms)
    return float(np.max(np.maximum(norms - high, below), initial=0.0))
