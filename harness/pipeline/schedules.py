"""Specs of learning rates to what a Keras optimizer takes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, assert_never

from harness.pipeline.backend import import_keras
from harness.pipeline.imports import call_import
from harness.spec.base import Spec
from harness.spec.schedule import (
    ConstantCallableSpec,
    CosineDecayRestartsSpec,
    CosineDecaySpec,
    ExponentialDecaySpec,
    ImportedScheduleSpec,
    InverseTimeDecaySpec,
    PiecewiseConstantDecaySpec,
    PolynomialDecaySpec,
    WarmupCosineSpec,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.spec.schedule import AnySchedule

__all__ = ["build_learning_rate"]

_KERAS_CLASSES = {
    ExponentialDecaySpec: "ExponentialDecay",
    InverseTimeDecaySpec: "InverseTimeDecay",
    PolynomialDecaySpec: "PolynomialDecay",
    CosineDecaySpec: "CosineDecay",
    CosineDecayRestartsSpec: "CosineDecayRestarts",
}


def build_learning_rate(spec: float | AnySchedule) -> Any:
    """A number, a ``LearningRateSchedule`` or a callable without arguments."""
    if not isinstance(spec, Spec):
        return spec
    schedules = import_keras().optimizers.schedules
    match spec:
        case PiecewiseConstantDecaySpec():
            return schedules.PiecewiseConstantDecay(list(spec.boundaries), list(spec.values))
        case WarmupCosineSpec():
            return _warmup_cosine(spec)
        case ConstantCallableSpec():
            return _constant(spec.value)
        case ImportedScheduleSpec():
            kind = schedules.LearningRateSchedule
            return call_import(spec, kind, "a keras LearningRateSchedule")
        case (
            ExponentialDecaySpec()
            | InverseTimeDecaySpec()
            | PolynomialDecaySpec()
            | CosineDecaySpec()
            | CosineDecayRestartsSpec()
        ):
            arguments = spec.model_dump(exclude={"kind"})
            return getattr(schedules, _KERAS_CLASSES[type(spec)])(**arguments)
        case _:
            assert_never(spec)


def _constant(value: float) -> Callable[[], float]:
    def learning_rate() -> float:
        return value

    return learning_rate


def _warmup_cosine(spec: WarmupCosineSpec) -> Any:
    """The schedule that text 004 writes by hand, in Keras operations."""
    keras = import_keras()
    ops = keras.ops

    class WarmupCosine(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc, name-defined]
        def __call__(self, step: Any) -> Any:
            # In the widest float there is: the step must not be rounded to float16.
            dtype = keras.config.floatx()
            step = ops.cast(step, dtype)
            warm = spec.peak * step / max(spec.warmup_steps, 1)
            length = max(spec.total_steps - spec.warmup_steps, 1)
            progress = ops.clip((step - spec.warmup_steps) / length, 0.0, 1.0)
            cosine = 0.5 * spec.peak * (1.0 + ops.cos(math.pi * progress))
            return ops.where(step < spec.warmup_steps, warm, cosine)

        def get_config(self) -> dict[str, Any]:
            return spec.model_dump(exclude={"kind"})

    return WarmupCosine()
