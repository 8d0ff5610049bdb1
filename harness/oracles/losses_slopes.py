"""Derivatives of any loss by finite differences, and where there is one to compare with."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from harness.oracles.arrays import Float64

_STEP = 1e-4
"""Times the distance to 0 or 1, where logarithms are steep; the error of order four is below 1e-9
of the derivative, that of rounding below 1e-9 of the value."""

_SHORTEST = 1e-3
_AGREED = 1e-7
_CORNER = 1e-7


class Slopes(NamedTuple):
    """A derivative by every prediction.

    Attributes:
        values: Of the shape of the predictions.
        smooth: False where the function has a corner, a clip or a jump in its curvature nearby.
    """

    values: Float64
    smooth: npt.NDArray[np.bool]


def slopes(share: Callable[[Float64], Float64], y_pred: Float64, *, coupled: bool) -> Slopes:
    """Return the derivative of a sum by central differences of fourth order.

    A corner in the middle shows in the second difference, which shrinks with the step where the
    function is smooth; one beside it in two steps of different length that do not agree.

    Args:
        share: What each sample contributes to the sum, shape (samples,).
        y_pred: Shape (samples, *dims).
        coupled: One sample's share may depend on another's predictions; otherwise all samples are
            moved at once.
    """
    steps = _STEP * np.maximum(np.minimum(np.abs(y_pred), np.abs(1.0 - y_pred)), _SHORTEST)
    slope, bend = np.zeros((2, *y_pred.shape)), np.zeros((2, *y_pred.shape))
    middle = np.sum(share(y_pred)) if coupled else share(y_pred)
    for index in np.ndindex(y_pred.shape if coupled else y_pred.shape[1:]):
        place: Any = index if coupled else (slice(None), *index)

        def moved(distance: float, place: Any = place) -> Float64:
            at = y_pred.copy()
            at[place] += distance * steps[place]
            shares = share(at)
            return np.asarray(np.sum(shares) if coupled else shares)

        for row, width in enumerate((1.0, 0.25)):
            after, before = moved(width), moved(-width)
            far = moved(2.0 * width) - moved(-2.0 * width)
            length = width * steps[place]
            slope[row][place] = (8.0 * (after - before) - far) / (12.0 * length)
            bend[row][place] = np.abs(after + before - 2.0 * middle) / length
    scale = np.abs(slope[0]) + min(float(np.max(np.abs(slope[0]), initial=0.0)), 1.0)
    agreed = np.abs(slope[0] - slope[1]) <= _AGREED * scale
    # What is left of the second difference when its smooth part, linear in the step, is taken off.
    corner = np.abs(4.0 * bend[1] - bend[0]) / 3.0 > _CORNER * scale
    return Slopes(slope[0], agreed & ~corner)
