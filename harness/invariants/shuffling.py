"""Whether data is shuffled before each epoch, and not only before the first."""

import math
from typing import Final

from harness.invariants.base import NothingToJudge, Reason, View, Violation, invariant
from harness.invariants.planning import epochs_run, rows_of
from harness.trace.recording import Recording

_WHOLE: Final = ("array", "tensor")
"""Sources that are shuffled when nobody says anything."""

_FEWEST: Final = 9
"""Examples from which on two epochs in one order are no chance: once in 362880."""


@invariant(
    "epochs_are_shuffled_anew",
    records=Recording.of("samples", "examples"),
    source="Keras, Model.fit(shuffle): whether to shuffle the training data before each epoch",
)
def epochs_are_shuffled_anew(view: View, reason: Reason) -> tuple[Violation, ...]:
    """Every epoch has an order of its own, where the data is shuffled.

    Raises:
        NothingToJudge: Nothing is shuffled, or less than two epochs have nine examples.
    """
    data = view.pipeline.data
    shuffled = data.source in _WHOLE if data.shuffle is None else data.shuffle
    if not shuffled:
        message = f"data must be shuffled to be judged, got {data.source!r} in its own order."
        raise NothingToJudge(message)
    epochs = epochs_run(view)
    orders = [
        tuple(index for row in rows_of(view, epoch) for index in view.samples[row])
        for epoch in epochs
    ]
    long = [order for order in orders if len(set(order)) >= _FEWEST]
    if len(long) < 2:  # noqa: PLR2004 - two to compare
        message = f"two epochs of {_FEWEST} examples must be there to be judged, got {len(long)}."
        raise NothingToJudge(message)
    seen: dict[tuple[int, ...], int] = {}
    for epoch, order in zip(epochs, orders, strict=True):
        before = seen.setdefault(order, epoch)
        if before != epoch and order in long:
            return (
                view.violation(
                    reason,
                    f"epoch {epoch} reads its {len(order)} examples in the order of epoch {before}",
                    got=order[:_FEWEST],
                    expected=f"another of {math.factorial(_FEWEST)} orders or more",
                    epoch=epoch,
                    where="sample_ids",
                ),
            )
    return ()
