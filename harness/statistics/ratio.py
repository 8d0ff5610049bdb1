"""Ratio of two costs from interleaved pairs, with interval, power and verdict.

The unit is a pair: one fresh process of each side, run next to each other in an order drawn by
chance. When the two sides are the same, swapping their names changes nothing, so the log ratio of
a pair is as likely positive as negative, whatever the machine did meanwhile: drift, slow hours,
neighbours, a penalty for coming second. The signed-rank test uses nothing else, so its false alarms
are bounded for every number of pairs and every noise.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from harness.statistics.signed_rank import Float64, centres
from harness.statistics.verdict import FigureError, Verdict, verdict_of_direction

__all__ = ["MARGIN", "POWER", "RatioEstimate", "estimate_ratio", "judge_ratio", "log_ratios"]

MARGIN = 0.05
"""Smallest change that matters, unless told otherwise."""

POWER = 0.9
"""Share of runs in which a change of the detectable size is found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioEstimate:
    """How much the other side costs, in units of the base.

    Attributes:
        ratio: Other over base; 1.05 is five per cent more.
        low: Lower end of the interval; 0 when there are too few pairs for the confidence.
        high: Upper end; infinite when there are too few pairs.
        confidence: Probability that the interval holds the true ratio, at least; over all looks
            when the run was looked at several times.
        pairs: Number of pairs.
        margin: Smallest relative change that matters.
        detectable: Smallest relative change, upwards, that a run with this noise and this many
            pairs reports with probability `power`: 0.03 is three per cent. Infinite when none.
        power: See `detectable`.
    """

    ratio: float
    low: float
    high: float
    confidence: float
    pairs: int
    margin: float
    detectable: float
    power: float

    @property
    def significant(self) -> bool:
        """Whether the interval leaves out equality."""
        return self.low > 1.0 or self.high < 1.0

    @property
    def counts(self) -> bool:
        """Whether the estimate is nearer to the margin than to no change, in the logarithm."""
        return abs(math.log(self.ratio)) >= math.log1p(self.margin) / 2

    @property
    def within_margin(self) -> bool:
        """Whether the interval leaves out every change of the margin's size, both ways."""
        return self.high < 1.0 + self.margin and self.low > 1.0 / (1.0 + self.margin)


def log_ratios(base: Float64, other: Float64) -> Float64:
    """Return ``log(other / base)`` of each pair, shape (pairs,).

    Raises:
        FigureError: The sides differ in number, are empty, or hold a cost that is not positive.
    """
    base, other = np.asarray(base, np.float64), np.asarray(other, np.float64)
    if base.ndim != 1 or base.shape != other.shape or base.size == 0:
        message = (
            f"Costs must come in pairs, got {base.shape} of the base and {other.shape} of the "
            "other. Leave out a round in which one side failed."
        )
        raise FigureError(message)
    for name, costs in (("base", base), ("other", other)):
        wrong = np.flatnonzero(~(np.isfinite(costs) & (costs > 0)))
        if wrong.size:
            message = (
                f"{name}[{wrong[0]}] must be a positive cost, got {costs[wrong[0]]}. "
                "A ratio of anything else means nothing."
            )
            raise FigureError(message)
    return np.log(other) - np.log(base)


def estimate_ratio(
    base: Float64,
    other: Float64,
    *,
    alpha: float = 0.01,
    confidence: float | None = None,
    margin: float = MARGIN,
    power: float = POWER,
) -> RatioEstimate:
    """Return the ratio of two costs from their pairs, shapes (pairs,).

    Args:
        base: Cost of the base in each pair, any positive unit.
        other: Cost of the other side in the same pairs.
        alpha: Probability of an alarm at this look when there is no change.
        confidence: What to state; ``1 - alpha`` unless this is one of several looks.
        margin: Smallest relative change that matters.
        power: Probability with which a change of the detectable size is reported.

    Raises:
        FigureError: The costs do not form pairs of positive numbers, or a number is out of range.
    """
    if not margin > 0.0:
        message = f"margin must be positive, got {margin}. 0.05 stands for five per cent."
        raise FigureError(message)
    if not 0.5 <= power < 1.0:  # noqa: PLR2004 - a coin finds half of all changes
        message = f"power must lie in [0.5, 1), got {power}. 0.9 finds nine of ten changes."
        raise FigureError(message)
    logs = log_ratios(base, other)
    centre = centres(logs, alpha=alpha)
    low, high = float(centre.low), float(centre.high)
    return RatioEstimate(
        ratio=float(np.exp(centre.estimate)),
        low=float(np.exp(low)),
        high=float(np.exp(high)),
        confidence=1.0 - alpha if confidence is None else confidence,
        pairs=logs.size,
        margin=margin,
        detectable=_detectable(high - low, centre.tail, margin, power),
        power=power,
    )


def judge_ratio(
    estimate: RatioEstimate,
    *,
    higher_is_better: bool = False,
    control: RatioEstimate | None = None,
) -> Verdict:
    """Return the verdict on one estimate.

    A change is reported when two things hold: the interval leaves out equality, and the estimate
    is nearer to the margin than to equality. The first keeps the false alarms; the second keeps
    a true difference of half a per cent from stopping anybody. `NO_CHANGE` says that the interval
    leaves out every change of the margin's size; all else could not be judged with these pairs.

    Args:
        estimate: Other side over base.
        higher_is_better: The figure is a speed and not a cost.
        control: The base over itself, measured in the same run. When it differs from one by the
            same rule, the run measures something else than the sides, and nothing is judged.
    """
    if control is not None and control.significant and control.counts:
        return Verdict.COULD_NOT_JUDGE
    if estimate.significant and estimate.counts:
        return verdict_of_direction(upwards=estimate.ratio > 1.0, higher_is_better=higher_is_better)
    return Verdict.NO_CHANGE if estimate.within_margin else Verdict.COULD_NOT_JUDGE


def _detectable(width: float, tail: float, margin: float, power: float) -> float:
    """Relative change found with probability `power`.

    The width of the interval is 2 z standard errors of the estimate, z being the normal deviate of
    the tail that was reached; the change must clear both the interval and half the margin.
    """
    if not np.isfinite(width):
        return float("inf")
    deviate = -special.ndtri(tail)
    error = width / (2 * deviate)
    bar = max(deviate * error, math.log1p(margin) / 2)
    return float(np.expm1(bar + special.ndtri(power) * error))
