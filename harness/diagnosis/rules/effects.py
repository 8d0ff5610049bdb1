"""Findings about settings that do not do what they seem to, and about what a step costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from harness.diagnosis.finding import Finding
from harness.diagnosis.rules.words import count, listed, size
from harness.statistics.growth import FEWEST, growth

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.diagnosis.seen import FitSeen, ScriptSeen

__all__ = [
    "lowest_rate",
    "memory_growth",
    "misleading_names",
    "retracing",
    "weights_without_effect",
]

_FEWEST_TRACES: Final = 5
_SHARE_OF_STEPS: Final = 0.1
"""TensorFlow itself warns when five of the last few calls were traced anew."""

_CERTAIN_GROWTH: Final = 2 * 2**20
"""Allocators and caches breathe by less than this an epoch."""


def retracing(traces: int, steps: int, where: str, *, eager: bool = False) -> Iterator[Finding]:
    """A step that is traced anew again and again.

    Args:
        traces: How often it was traced.
        steps: Steps that were done.
        where: The run.
        eager: Whether nothing is traced at all.
    """
    if eager or traces < _FEWEST_TRACES or traces < _SHARE_OF_STEPS * steps:
        return
    yield Finding(
        rule="retracing",
        level="warning",
        where=where,
        seen=f"The step was traced {traces} times for {count(steps, 'step')}.",
        why=(
            "Each tracing costs as much time as hundreds of steps, and the memory of every graph "
            "stays until the end."
        ),
        remedy=(
            "Give a tf.function tensors instead of Python numbers, make it once outside of the "
            "loop, and keep the shapes of batches the same, or pass reduce_retracing=True."
        ),
        figures={"traces": traces, "steps": steps},
    )


def memory_growth(fit: FitSeen) -> Iterator[Finding]:
    """Memory that certainly grows from epoch to epoch."""
    memory = np.array([epoch.rss for epoch in fit.done], np.float64)[1:]
    if len(memory) < FEWEST:
        return
    found = growth(memory)
    if not found.beyond(_CERTAIN_GROWTH):
        return
    slope, low = found.slope, found.low
    yield Finding(
        rule="memory_grows",
        level="warning",
        where=fit.where,
        seen=(
            f"Resident memory grew by {size(slope)} an epoch, from {size(memory[0])} after epoch 2 "
            f"to {size(memory[-1])} after epoch {len(memory) + 1}; at least {size(low)} an epoch "
            "is certain (99 %)."
        ),
        why="A run that is long enough will be ended for want of memory, without an error.",
        remedy=(
            "Look for what lives on: tensors kept in a list (keep float(loss) instead), callbacks "
            "that collect batches, functions that are traced anew."
        ),
        figures={"growth_bytes": slope, "certain_bytes": low},
    )


def weights_without_effect(script: ScriptSeen) -> Iterator[Finding]:
    """Losses and metrics that can't honour the weights they are given."""
    fit = next((fit for fit in script.fits if fit.class_weight), None)
    where = fit.where if fit is not None else script.fits[0].where if script.fits else "script"
    kind = "class_weight" if fit is not None else "sample_weight"
    for entry in script.notes:
        if entry["kind"] != "unweighted":
            continue
        place = "" if entry.get("place") is None else f" at {entry['place']}"
        if entry["criterion"] == "loss":
            seen = (
                f"{kind} is given, and the loss {entry['name']}{place} returns one number for the "
                "whole batch: the weights of its examples are averaged and scale it as a whole."
            )
            remedy = "Return one value an example, without reduce_mean; Keras weighs and averages."
        else:
            seen = (
                f"{kind} is given, and the metric {entry['name']}{place} takes sample_weight and "
                "never looks at it."
            )
            remedy = "Multiply by sample_weight in update_state, or put it into metrics=[...]."
        yield Finding(
            rule="weights_without_effect",
            level="warning",
            where=where,
            seen=seen,
            why="No example counts more than another, though the call says so.",
            remedy=remedy,
            figures={"criterion": entry["criterion"], "name": entry["name"]},
        )


def lowest_rate(fit: FitSeen) -> Iterator[Finding]:
    """A share of the initial rate that was written down as if it were a rate."""
    alpha, initial = fit.optimizer.get("alpha"), fit.optimizer.get("initial_rate")
    name = str(fit.optimizer.get("schedule"))
    if not name.startswith("CosineDecay") or not alpha or not initial or alpha >= initial:
        return
    yield Finding(
        rule="alpha_is_a_share",
        level="note",
        where=fit.where,
        seen=(
            f"{name} has alpha={alpha:g}: a share of the initial rate {initial:g}, so that the "
            f"lowest rate is {alpha * initial:g}."
        ),
        why=(
            "alpha is no learning rate; a rate of practically 0 at the end may not be what was "
            "meant."
        ),
        remedy=f"For a lowest rate of {alpha:g} give alpha={alpha / initial:g}.",
        figures={"alpha": alpha, "lowest_rate": alpha * initial},
    )


def misleading_names(script: ScriptSeen) -> Iterator[Finding]:
    """`metrics_names` used to name what `evaluate` returns."""
    for entry in script.notes:
        if entry["kind"] != "metrics_names":
            continue
        names, values = entry["names"], entry["values"]
        yield Finding(
            rule="metrics_names_mislead",
            level="warning",
            where=str(entry["place"]),
            seen=(
                f"model.metrics_names gave {listed(names)}, evaluate returns "
                f"{count(len(values), 'value')}: {listed(values)}."
            ),
            why="Zipped together, values get the wrong name and the last ones are dropped.",
            remedy="Use evaluate(..., return_dict=True).",
            figures={"names": len(names), "values": len(values)},
        )
