"""Memory that must not grow from epoch to epoch."""

import numpy as np

from harness.invariants.base import NothingToJudge, Reason, View, Violation, invariant
from harness.invariants.leaks import FEWEST_EPOCHS, RECORDS, epoch_memory, leaks
from harness.oracles.arrays import Float64
from harness.statistics.growth import growth

_SOURCE = "003, memory pressure; harness.statistics.growth"


@invariant("memory_is_flat", records=RECORDS, source=_SOURCE)
def memory_is_flat(view: View, reason: Reason) -> tuple[Violation, ...]:
    """Resident memory does not grow from epoch to epoch, or by no more than `atol` bytes.

    The first epoch, in which the step is traced and buffers are allocated, is left out. Growth is
    flagged only where it is certain: the lower end of its 99 % confidence interval lies above
    `atol`. What is counted and grows with it is named.

    Raises:
        NothingToJudge: Fewer than seven epochs were run.
    """
    memory = np.array(epoch_memory(view.trace))
    return _flat(view, reason, memory, what="resident memory", where="rss_bytes")


@invariant("peak_memory_is_flat", records=RECORDS, source=_SOURCE)
def peak_memory_is_flat(view: View, reason: Reason) -> tuple[Violation, ...]:
    """The peak of an epoch's resident memory does not grow, or by no more than `atol` bytes.

    The peak is the largest of what was seen after each batch. For the rest see `memory_is_flat`.

    Raises:
        NothingToJudge: Fewer than seven epochs were run.
    """
    peaks: dict[int, float] = {}
    for event in view.trace.events:
        if (event.kind, event.name) == ("memory", "batch") and event.epoch is not None:
            seen = float(event.detail["rss_bytes"])
            peaks[event.epoch] = max(peaks.get(event.epoch, 0.0), seen)
    memory = np.array(list(peaks.values()))
    return _flat(view, reason, memory, what="the peak of resident memory", where="peak rss_bytes")


def _flat(
    view: View, reason: Reason, memory: Float64, *, what: str, where: str
) -> tuple[Violation, ...]:
    if len(memory) < FEWEST_EPOCHS:
        message = (
            f"{reason.check} must see at least {FEWEST_EPOCHS} epochs, got {len(memory)}. "
            "Train for more epochs."
        )
        raise NothingToJudge(message)
    found = growth(memory, warm_up=1)
    if not found.beyond(view.atol):
        return ()
    known = "".join(f"; {leak.evidence}" for leak in leaks(view.trace) if leak.cause != "unknown")
    return (
        view.violation(
            reason,
            f"{what} grows by {found.slope:.0f} bytes an epoch, from {memory[1]:.0f} to "
            f"{memory[-1]:.0f} bytes over {len(memory) - 1} epochs{known}",
            got=(
                f"{found.slope:.0f} bytes an epoch, 99 % certain to lie in "
                f"[{found.low:.0f}, {found.high:.0f}]"
            ),
            expected=f"at most {view.atol:.0f} bytes an epoch",
            epoch=view.trace.epochs[-1].epoch,
            where=where,
            allowed=view.tolerance(view.atol),
        ),
    )
