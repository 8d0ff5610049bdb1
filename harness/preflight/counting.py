"""How many steps a plan amounts to, as far as that can be counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.preflight.plan import Plan

__all__ = ["due_epochs", "epoch_size", "evaluations", "possible_steps", "total_steps"]


def epoch_size(plan: Plan) -> int | None:
    """Steps of one epoch as asked for; None where the data decide and nobody can count them."""
    return plan.source.batches if plan.steps_per_epoch is None else plan.steps_per_epoch


def total_steps(plan: Plan) -> int | None:
    """Steps of all epochs as asked for."""
    size = epoch_size(plan)
    return None if size is None else size * max(plan.epochs - plan.initial_epoch, 0)


def possible_steps(plan: Plan) -> tuple[int, ...] | None:
    """Steps that each epoch can have, from what the source holds.

    With `steps_per_epoch` one pass feeds as many epochs as it can, the last of which gets what is
    left; then a new pass begins, unless the source can be read only once.
    """
    size, left = epoch_size(plan), plan.source.batches
    if size is None or left is None or plan.source.infinite:
        return None
    counts = []
    for _ in range(plan.initial_epoch, plan.epochs):
        if left == 0 and not plan.source.one_shot:
            left = plan.source.batches or 0
        counts.append(min(size, left))
        left -= counts[-1]
    return tuple(counts)


def due_epochs(plan: Plan) -> tuple[int, ...]:
    """Indices of the epochs after which there is an evaluation."""
    if plan.validation is None:
        return ()
    epochs = range(plan.initial_epoch, plan.epochs)
    if isinstance(plan.validation_freq, int):
        return tuple(epoch for epoch in epochs if (epoch + 1) % plan.validation_freq == 0)
    return tuple(epoch for epoch in epochs if epoch + 1 in plan.validation_freq)


def evaluations(plan: Plan, monitor: str) -> tuple[int, ...]:
    """Indices of the epochs at whose end a callback can see its monitor."""
    if monitor.startswith("val_") and monitor not in plan.other_logs:
        return due_epochs(plan)
    return tuple(range(plan.initial_epoch, plan.epochs))
