"""Live callbacks as a preflight plan sees them."""

from __future__ import annotations

from typing import Any, Final

from harness.pipeline.backend import import_keras
from harness.preflight import CallbackPlan

__all__ = ["callback_plans"]

_ARGUMENTS: Final = (
    "monitor",
    "mode",
    "patience",
    "baseline",
    "restore_best_weights",
    "start_from_epoch",
    "save_best_only",
    "save_weights_only",
    "save_freq",
    "filepath",
)
_HARMLESS: Final = (
    "BackupAndRestore",
    "CSVLogger",
    "EarlyStopping",
    "History",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
)
"""Keras' own callbacks whose effects are known; a LambdaCallback may do anything."""


def callback_plans(callbacks: Any) -> tuple[CallbackPlan, ...]:
    """One plan a callback, in the order of the caller.

    Args:
        callbacks: What ``fit`` takes, or the list that it makes of it.
    """
    listed = getattr(callbacks, "callbacks", callbacks)
    if listed is None:
        return ()
    flat = listed if isinstance(listed, list | tuple) else [listed]
    return tuple(_plan(index, callback) for index, callback in enumerate(flat))


def _plan(index: int, callback: Any) -> CallbackPlan:
    kinds = _kinds(callback)
    return CallbackPlan(
        index=index,
        name=type(callback).__name__,
        kinds=kinds,
        arguments=_arguments(callback, kinds),
        needs_direction=hasattr(callback, "_set_monitor_op"),
    )


def _kinds(callback: Any) -> tuple[str, ...]:
    """The Keras callbacks it is, unless what the user has added may change what they do."""
    keras = import_keras()
    known = {getattr(keras.callbacks, name, None): name for name in _HARMLESS}
    kinds = []
    for cls in type(callback).__mro__:
        if cls in known:
            kinds.append(known[cls])
        elif not kinds and _acts(cls):
            return ("Preflight",) if getattr(cls, "only_looks", False) else ()
    return tuple(kinds)


def _acts(cls: type) -> bool:
    return any(
        callable(member) and name.startswith(("on_", "get_", "_"))
        for name, member in vars(cls).items()
        if not name.startswith("__")
    )


def _arguments(callback: Any, kinds: tuple[str, ...]) -> dict[str, Any]:
    if not kinds:
        return {}
    found = {name: getattr(callback, name) for name in _ARGUMENTS if hasattr(callback, name)}
    # EarlyStopping turns its sign when it has run once.
    if isinstance(getattr(callback, "min_delta", None), int | float):
        found["min_delta"] = abs(callback.min_delta)
    best = getattr(callback, "best", None)
    if kinds[0] == "ModelCheckpoint" and isinstance(best, int | float) and abs(best) < float("inf"):
        found["initial_value_threshold"] = best
    return found
