"""The learning rate of a live optimizer as a preflight plan sees it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from harness.pipeline.backend import import_keras
from harness.preflight import RatePlan

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["rate_plan"]

_PROBES = 3


def rate_plan(rate: Any, last: int | None) -> RatePlan:
    """What is known about a learning rate.

    Args:
        rate: A variable, a schedule or a callable.
        last: The optimizer's count when the training ends; a schedule of the user's own is asked
            for its rates up to there.
    """
    schedules = import_keras().optimizers.schedules
    if isinstance(rate, schedules.LearningRateSchedule):
        name = type(rate).__name__
        if type(rate).__module__.startswith("keras."):
            return _builtin(rate, name)
        zero_from = None if last is None else _zero_from(rate, last)
        end = None if zero_from is None else 0.0
        return RatePlan(kind="schedule", name=name, length=zero_from, end=end)
    if callable(rate) and not hasattr(rate, "assign"):
        return RatePlan(kind="callable", arguments=_arguments(rate))
    return RatePlan()


def _builtin(rate: Any, name: str) -> RatePlan:
    match name:
        case "CosineDecay":
            target = getattr(rate, "warmup_target", None)
            warmup = 0 if target is None else int(rate.warmup_steps)
            peak = rate.initial_learning_rate if target is None else target
            return RatePlan(
                kind="schedule",
                name=name,
                length=int(rate.decay_steps) + warmup,
                end=float(peak) * float(rate.alpha),
                warmup=warmup,
            )
        case "PolynomialDecay" if not rate.cycle:
            return RatePlan(
                kind="schedule",
                name=name,
                length=int(rate.decay_steps),
                end=float(rate.end_learning_rate),
            )
        case "PiecewiseConstantDecay":
            return RatePlan(
                kind="schedule",
                name=name,
                length=int(rate.boundaries[-1]) + 1,
                end=float(rate.values[-1]),
            )
        case _:
            return RatePlan(kind="schedule", name=name)


def _arguments(function: Callable[..., Any]) -> int:
    """How many arguments a call must give."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 0
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(
        parameter.kind in positional and parameter.default is inspect.Parameter.empty
        for parameter in parameters
    )


def _zero_from(rate: Any, last: int) -> int | None:
    """The step from which a schedule is 0 up to the last, or None where it isn't at the end."""
    if last < 1 or _value(rate, last - 1) != 0.0:
        return None
    low, high = 0, last - 1  # The rate is 0 at `high`; search where that begins.
    while low < high:
        middle = (low + high) // 2
        if _value(rate, middle) == 0.0 and middle > 0:
            high = middle
        else:
            low = middle + 1
    step = max((last - high) // (_PROBES + 1), 1)
    if any(_value(rate, probe) != 0.0 for probe in range(high, last, step)):
        return None
    return high


def _value(rate: Any, step: int) -> float | None:
    keras = import_keras()
    try:
        return float(keras.ops.convert_to_numpy(rate(keras.ops.convert_to_tensor(step, "int64"))))
    except Exception:  # noqa: BLE001 - somebody's code; the training will say it better
        return None
