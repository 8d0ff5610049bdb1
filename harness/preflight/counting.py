"""How many steps a plan amounts to, as far as that can be counted.

In closed form: people write a million epochs and leave the end to early stopping.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.preflight.plan import Plan

__all__ = ["Shortfall", "epoch_size", "evaluations", "shortfall", "total_steps", "validations"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """Where a source has less than it is asked for.

    Attributes:
        epoch: Index of the first epoch that gets too little.
        steps: What it gets.
        total: What all epochs get together.
    """

    epoch: int
    steps: int
    total: int


def epoch_size(plan: Plan) -> int | None:
    """Steps of one epoch as asked for; None where the data decide and nobody can count them."""
    return plan.source.batches if plan.steps_per_epoch is None else plan.steps_per_epoch


def total_steps(plan: Plan) -> int | None:
    """Steps of all epochs as asked for."""
    size = epoch_size(plan)
    return None if size is None else size * max(plan.epochs - plan.initial_epoch, 0)


def shortfall(plan: Plan) -> Shortfall | None:
    """Where the data run out, if it is known that they do.

    With `steps_per_epoch` one pass feeds as many epochs as it can, the last of which gets what is
    left; then a new pass begins, unless the source can be read only once.
    """
    size, batches = plan.steps_per_epoch, plan.source.batches
    epochs = plan.epochs - plan.initial_epoch
    if size is None or batches is None or plan.source.infinite:
        return None
    full, rest = divmod(batches, size)
    if epochs <= full or (not rest and not plan.source.one_shot):
        return None
    passes, left = (0, epochs) if plan.source.one_shot else divmod(epochs, full + 1)
    total = passes * batches + min(left * size, batches)
    return Shortfall(epoch=plan.initial_epoch + full, steps=rest, total=total)


def validations(plan: Plan, start: int = 0) -> int:
    """How many epochs, from `start` on, have an evaluation at their end."""
    frequency, first = plan.validation_freq, max(plan.initial_epoch, start)
    if plan.validation is None:
        return 0
    if isinstance(frequency, int):
        return max(plan.epochs // frequency - first // frequency, 0)
    return sum(first < epoch <= plan.epochs for epoch in set(frequency))


def evaluations(plan: Plan, monitor: str, start: int = 0) -> int:
    """At the end of how many epochs, from `start` on, a callback can see its monitor."""
    if monitor.startswith("val_") and monitor not in plan.other_logs:
        return validations(plan, start)
    return max(plan.epochs - max(plan.initial_epoch, start), 0)
