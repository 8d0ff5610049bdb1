"""A run of several optimizers, cut into what each of them did with its own variables."""

import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from harness.invariants.base import NothingToJudge, View
from harness.spec.optimizer import BuiltinOptimizer, MultiOptimizerSpec


def parts(view: View) -> Iterator[View]:
    """Yield one view for each optimizer that has variables, or the view itself if there is one.

    Raises:
        NothingToJudge: One of several optimizers follows a schedule, which is not recorded.
    """
    optimizer = view.pipeline.optimizer
    if not isinstance(optimizer, MultiOptimizerSpec):
        yield view
        return
    table = view.gradients
    owners = [owner(optimizer, item.path) for item in table.variables]
    for number, one in enumerate((*(group.optimizer for group in optimizer.groups), None)):
        index = None if one is None else number
        own = tuple(
            item for item, found in zip(table.variables, owners, strict=True) if found == index
        )
        if own:
            chosen = optimizer.default if one is None else one
            columns = np.concatenate([np.r_[table.column(item.path)] for item in own])
            gradients = replace(
                table,
                variables=own,
                raw=table.raw[:, columns],
                clipped=None if table.clipped is None else table.clipped[:, columns],
            )
            steps = replace(
                view.trace.steps, learning_rate=np.full(len(view.trace.steps), _rate(chosen))
            )
            yield replace(
                view,
                pipeline=view.pipeline.model_copy(update={"optimizer": chosen}),
                trace=replace(view.trace, gradients=gradients, steps=steps),
            )


def owner(optimizer: MultiOptimizerSpec, path: str) -> int | None:
    """Return which group a variable belongs to: by its path, else by pattern, None for none."""
    for number, group in enumerate(optimizer.groups):
        if group.match == path:
            return number
    for number, group in enumerate(optimizer.groups):
        if re.fullmatch(group.match, path):
            return number
    return None


def _rate(optimizer: BuiltinOptimizer) -> float:
    if not isinstance(optimizer.learning_rate, float):
        message = "each of several optimizers must have a number for a learning_rate to be judged."
        raise NothingToJudge(message)
    return optimizer.learning_rate
