"""Memory that must not grow from epoch to epoch."""

import math

import numpy as np

from harness.invariants.base import NothingToJudge, Reason, View, Violation, invariant
from harness.oracles.arrays import Float64

FEWEST_EPOCHS = 7
"""One of warm-up and six points: with five no 99 % interval of the slope exists."""

_QUANTILE = 2.5758293035489004
"""Of the standard normal, for a two-sided 99 % interval."""


@invariant("memory_is_flat", source="003, memory pressure; Sen, JASA 63 (1968), section 4")
def memory_is_flat(view: View, reason: Reason) -> tuple[Violation, ...]:
    """Resident memory does not grow from epoch to epoch, or by no more than `atol` bytes.

    The first epoch, in which the step is traced and buffers are allocated, is left out. Growth is
    flagged only where it is certain: the lower end of the 99 % confidence interval of the
    Theil-Sen slope lies above `atol`.

    Raises:
        NothingToJudge: Fewer than seven epochs were run.
    """
    memory = np.array([record.rss_bytes for record in view.trace.epochs], dtype=np.float64)
    if len(memory) < FEWEST_EPOCHS:
        message = (
            f"memory_is_flat must see at least {FEWEST_EPOCHS} epochs, got {len(memory)}. "
            "Train for more epochs."
        )
        raise NothingToJudge(message)
    low, slope, high = slope_interval(memory[1:])
    if low <= view.atol:
        return ()
    last = view.trace.epochs[-1].epoch
    return (
        view.violation(
            reason,
            f"resident memory grows by {slope:.0f} bytes an epoch, from {memory[1]:.0f} to "
            f"{memory[-1]:.0f} bytes over {len(memory) - 1} epochs",
            got=f"{slope:.0f} bytes an epoch, 99 % certain to lie in [{low:.0f}, {high:.0f}]",
            expected=f"at most {view.atol:.0f} bytes an epoch",
            epoch=last,
            where="rss_bytes",
            allowed=view.tolerance(view.atol),
        ),
    )


def slope_interval(values: Float64) -> tuple[float, float, float]:
    """Return the Theil-Sen slope of evenly spaced values between its 99 % confidence limits.

    The slope is the median of all pairwise slopes; its limits are the pairwise slopes whose ranks
    lie ``z * sqrt(n (n - 1) (2 n + 5) / 18) / 2`` below and above the middle, the normal
    approximation to the null distribution of Kendall's tau. With ties the interval is too wide
    rather than too narrow.

    Args:
        values: Shape (n,), one a epoch, n >= 6.

    References:
        Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA 63 (1968).
    """
    count = len(values)
    first, second = np.triu_indices(count, k=1)
    slopes = np.sort((values[second] - values[first]) / (second - first))
    spread = _QUANTILE * math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    rank = math.floor((len(slopes) - spread) / 2)
    return float(slopes[rank]), float(np.median(slopes)), float(slopes[len(slopes) - 1 - rank])
