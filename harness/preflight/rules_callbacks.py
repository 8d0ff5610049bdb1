"""Callbacks that watch what is not there, look the wrong way, or have nothing left to do."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Final

from harness.preflight.counting import evaluations, validations
from harness.preflight.registry import Discovery, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.preflight.plan import CallbackPlan, Plan
    from harness.preflight.registry import Found

_MONITORS: Final = ("EarlyStopping", "ReduceLROnPlateau", "ModelCheckpoint")
_RATE_LOGGERS: Final = ("ReduceLROnPlateau", "LearningRateScheduler")
_SHARES: Final = ("accuracy", "acc", "auc", "precision", "recall", "f1", "f1_score")
"""Metrics that lie between 0 and 1, where more is better."""


@rule("refuse")
def monitor_not_logged(plan: Plan) -> Found:
    """A callback watches a number that the logs will not have."""
    for callback, monitor in _watching(plan):
        reason = _absence(plan, callback, monitor)
        if reason is not None:
            effect = {
                "EarlyStopping": "nothing ever stops early",
                "ReduceLROnPlateau": "the rate is never reduced",
                "ModelCheckpoint": "the best is never known, and Keras saves every epoch over the "
                "last one, or none",
            }[_kind(callback)]
            raises = callback.needs_direction and callback.arguments.get("mode") == "auto"
            if raises and monitor.removeprefix("val_") != "loss":
                effect = "the first epoch ends in a ValueError"
            yield Discovery(
                callback.where("monitor"),
                f"{monitor!r} will not be in the logs: {reason}, so {effect}",
                _keys(plan),
            )


@rule("refuse")
def direction_unknown(plan: Plan) -> Found:
    """Keras can't tell whether more or less of a monitor is better."""
    directions = plan.compile.directions
    for callback, monitor in _watching(plan):
        key = monitor.removeprefix("val_")
        if not callback.needs_direction or callback.arguments.get("mode") != "auto":
            continue
        if directions is not None and key in directions and directions[key] is None:
            yield Discovery(
                callback.where("mode"),
                f"Keras can't tell whether more or less of {monitor!r} is better: the first epoch "
                "ends in a ValueError",
                "Say mode='max' or mode='min'.",
            )


@rule("warn")
def direction_reversed(plan: Plan) -> Found:
    """A callback takes better for worse."""
    directions = plan.compile.directions or {}
    for callback, monitor in _watching(plan):
        mode = callback.arguments.get("mode")
        better = directions.get(monitor.removeprefix("val_"))
        if (mode, better) in (("max", "down"), ("min", "up")):
            yield Discovery(
                callback.where("mode"),
                f"mode={mode!r} takes {'less' if mode == 'min' else 'more'} of {monitor!r} for "
                f"better, and {'more' if mode == 'min' else 'less'} of it is",
                "Leave `mode` at 'auto', or turn it round.",
            )


@rule("warn")
def patience_never_runs_out(plan: Plan) -> Found:
    """There are fewer evaluations than the patience waits for."""
    for callback, monitor in _watching(plan):
        kind, patience = _kind(callback), callback.arguments.get("patience")
        # The best weights are restored at the end even where nothing stopped early.
        wanted = kind == "EarlyStopping" and callback.arguments.get("restore_best_weights")
        if not isinstance(patience, int) or wanted or _absence(plan, callback, monitor):
            continue
        first = callback.arguments.get("start_from_epoch") or 0
        seen = evaluations(plan, monitor, first)
        if seen > patience or plan.epochs <= plan.initial_epoch:
            continue
        what = "stops the training" if kind == "EarlyStopping" else "lowers the rate"
        start = f" from epoch {first + 1} on" if first else ""
        yield Discovery(
            callback.where("patience"),
            f"it waits for {patience} evaluations without improvement and sees {seen}{start}, "
            f"so it never {what} before the end",
            "Lower the patience, or leave the callback out.",
        )


@rule("warn")
def best_out_of_reach(plan: Plan) -> Found:
    """A share, which lies between 0 and 1, is asked to be more than that."""
    for callback, monitor in _watching(plan):
        share = monitor.removeprefix("val_") in _SHARES or monitor.endswith("accuracy")
        if not share or callback.arguments.get("mode") == "min":
            continue
        for name in ("baseline", "initial_value_threshold", "min_delta"):
            value = callback.arguments.get(name)
            if isinstance(value, int | float) and value >= 1:
                yield Discovery(
                    callback.where(name),
                    f"{monitor!r} lies between 0 and 1 and can't get better than {value:g}"
                    if name != "min_delta"
                    else f"{monitor!r} lies between 0 and 1 and can't improve by {value:g}",
                    "Write it as a share: 0.9 for 90 %.",
                )


@rule("refuse")
def checkpoint_name(plan: Plan) -> Found:
    """Keras can't tell the format of a checkpoint from its name."""
    for callback in plan.callbacks:
        path = callback.arguments.get("filepath")
        if "ModelCheckpoint" not in callback.kinds or not isinstance(path, str):
            continue
        weights = bool(callback.arguments.get("save_weights_only"))
        endings = (".weights.h5",) if weights else (".keras", ".h5")
        if not path.endswith(endings):
            only = "with" if weights else "without"
            yield Discovery(
                callback.where("filepath"),
                f"{path!r} must end in {endings[0]} {only} save_weights_only",
                f"Call it {path.partition('.')[0]}{endings[0]}.",
            )


@rule("refuse")
def checkpoint_placeholder(plan: Plan) -> Found:
    """The name of a checkpoint asks for a number that the logs will not have."""
    for callback in plan.callbacks:
        path = callback.arguments.get("filepath")
        if "ModelCheckpoint" not in callback.kinds or not isinstance(path, str):
            continue
        for name in _placeholders(path):
            reason = None if name in ("epoch", "batch") else _absence(plan, callback, name)
            if reason is None and callback.arguments.get("save_freq", "epoch") == "epoch":
                reason = _not_every_epoch(plan, name)
            if reason is not None:
                yield Discovery(
                    callback.where("filepath"),
                    f"{{{name}}} in {path!r} can't be filled in: {reason}, and saving raises a "
                    "KeyError",
                    "Take it out of the name.",
                )


def _watching(plan: Plan) -> Iterator[tuple[CallbackPlan, str]]:
    """Callbacks that watch a number of the logs, with its name."""
    for callback in plan.callbacks:
        monitor = callback.arguments.get("monitor")
        if not isinstance(monitor, str) or not set(callback.kinds) & set(_MONITORS):
            continue
        if _kind(callback) == "ModelCheckpoint" and not callback.arguments.get("save_best_only"):
            continue
        yield callback, monitor


def _kind(callback: CallbackPlan) -> str:
    return next(name for name in _MONITORS if name in callback.kinds)


def _absence(plan: Plan, callback: CallbackPlan, key: str) -> str | None:
    """Why a key will not be in the logs that this callback sees; None where it may be."""
    directions = plan.compile.directions
    if directions is None or _put_there(plan, callback, key):
        return None
    if key.startswith("val_") and plan.validation is None:
        return "there are no validation data"
    if key.startswith("val_") and not validations(plan) and plan.initial_epoch < plan.epochs:
        return "no epoch is validated"
    if key.removeprefix("val_") not in directions:
        return f"the model is not compiled with a metric {key.removeprefix('val_')!r}"
    return None


def _put_there(plan: Plan, callback: CallbackPlan, key: str) -> bool:
    """Whether somebody else than the model may put a key into the logs."""
    if key in plan.other_logs:
        return True
    # A callback of the user's own may put anything there for those behind it.
    if any(not other.kinds for other in plan.callbacks if other.index < callback.index):
        return True
    kinds = {kind for other in plan.callbacks for kind in other.kinds}
    return key == "learning_rate" and bool(kinds & set(_RATE_LOGGERS))


def _not_every_epoch(plan: Plan, key: str) -> str | None:
    if not key.startswith("val_") or evaluations(plan, key) >= plan.epochs - plan.initial_epoch:
        return None
    return "it is there only after the epochs that are validated"


def _placeholders(path: str) -> tuple[str, ...]:
    try:
        fields = [name for _, name, _, _ in string.Formatter().parse(path) if name]
    except ValueError:
        return ()
    return tuple(dict.fromkeys(fields))


def _keys(plan: Plan) -> str:
    keys = sorted(plan.compile.directions or ())
    if plan.validation is not None:
        keys += [f"val_{key}" for key in keys]
    return f"There will be {', '.join(keys)}." if keys else "Compile the model with that metric."
