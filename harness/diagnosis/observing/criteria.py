"""Watches losses and metrics for weights that reach nobody, and names that mislead."""

from __future__ import annotations

import dis
import sys
from typing import TYPE_CHECKING, Any

import keras

from harness.diagnosis.observing.places import place_of, user_place
from harness.diagnosis.observing.wrapping import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.diagnosis.observing.notes import Notes

__all__ = ["ignores_weights", "watch_criteria"]

_WEIGHTS = 2
"""Where ``sample_weight`` stands behind ``y_true`` and ``y_pred``."""


def watch_criteria(notes: Notes) -> None:
    """Note each loss and metric that can't honour the weights it is given, once.

    Args:
        notes: The journal.
    """
    from keras.src.losses import loss as module

    told: set[str] = set()
    losses: list[Any] = []

    def called(original: Callable[..., Any], loss: Any, *args: Any, **kw: Any) -> Any:
        losses.append(loss)
        try:
            return original(loss, *args, **kw)
        finally:
            losses.pop()

    def reduced(
        original: Callable[..., Any], values: Any, sample_weight: Any = None, *a: Any, **kw: Any
    ) -> Any:
        rank = len(getattr(values, "shape", (0,)))
        weighed = len(getattr(sample_weight, "shape", ()) or ()) > 0
        if losses and weighed and rank == 0:
            with notes.sparing("loss"):
                _tell(notes, told, "loss", losses[-1])
        return original(values, sample_weight, *a, **kw)

    wrap(keras.losses.Loss, "__call__", called)
    wrap(module, "reduce_weighted_values", reduced)
    _watch_metrics(notes, told)
    _watch_names(notes)


def ignores_weights(update: Any) -> bool:
    """Whether a method takes ``sample_weight`` and never reads it."""
    code = getattr(update, "__code__", None)
    if code is None or "sample_weight" not in code.co_varnames[: code.co_argcount]:
        return False
    if "sample_weight" in code.co_cellvars:
        return False
    return not any(
        "sample_weight" in (item.argval if isinstance(item.argval, tuple) else (item.argval,))
        for item in dis.get_instructions(code)
        if item.opname.startswith("LOAD_")
    )


def _watch_metrics(notes: Notes, told: set[str]) -> None:
    from keras.src.trainers.compile_utils import CompileMetrics

    def updated(original: Callable[..., Any], compiled: Any, *args: Any, **kw: Any) -> Any:
        result = original(compiled, *args, **kw)
        weights = args[_WEIGHTS] if len(args) > _WEIGHTS else kw.get("sample_weight")
        if weights is not None and "metrics" not in told:
            told.add("metrics")
            with notes.sparing("metrics"):
                for metric in _weighted(compiled):
                    if ignores_weights(type(metric).update_state):
                        _tell(notes, told, "metric", metric)
        return result

    wrap(CompileMetrics, "update_state", updated)


def _weighted(compiled: Any) -> list[Any]:
    """The metrics that are given weights."""
    flat = getattr(compiled, "_flat_weighted_metrics", None) or []
    return [
        metric for group in flat if group is not None for metric in getattr(group, "metrics", ())
    ]


def _tell(notes: Notes, told: set[str], kind: str, criterion: Any) -> None:
    owner = type(criterion)
    name = getattr(criterion, "name", None) or owner.__name__
    if f"{kind} {name}" in told:
        return
    told.add(f"{kind} {name}")
    function = getattr(criterion, "fn", None)
    wrapped = callable(function) and hasattr(function, "__code__")
    method = function if wrapped else owner.call if kind == "loss" else owner.update_state
    code = getattr(method, "__code__", None)
    notes.write(
        "unweighted",
        criterion=kind,
        name=getattr(method, "__name__", name) if wrapped else owner.__name__,
        place=None if code is None else place_of(code),
    )


def _watch_names(notes: Notes) -> None:
    """Note when the user's own code asks for ``metrics_names`` and gets fewer than there are."""
    from keras.src.trainers.trainer import Trainer

    names = vars(Trainer).get("metrics_names")
    if not isinstance(names, property) or names.fget is None:
        return
    told: set[str] = set()

    def get(model: Any) -> list[str]:
        found: list[str] = names.fget(model)  # type: ignore[misc]
        place = user_place(sys._getframe(1))
        values: list[str] = []
        with notes.sparing("metrics_names"):
            values = list(model.get_metrics_result())
        if place is not None and place not in told and values and len(found) != len(values):
            told.add(place)
            notes.write("metrics_names", place=place, names=found, values=values)
        return found

    Trainer.metrics_names = property(get)
