"""Specs of optimizers to Keras optimizers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from harness.pipeline.backend import import_keras
from harness.pipeline.imports import call_import
from harness.pipeline.schedules import build_learning_rate
from harness.spec.optimizer import (
    AdagradSpec,
    AdamSpec,
    AdamWSpec,
    ImportedOptimizerSpec,
    RMSpropSpec,
    SGDSpec,
)

if TYPE_CHECKING:
    from harness.spec.optimizer import AnyOptimizer
    from harness.spec.training import PrecisionSpec

__all__ = ["build_optimizer", "inner_optimizer"]

_KERAS_CLASSES = {
    SGDSpec: "SGD",
    AdamSpec: "Adam",
    AdamWSpec: "AdamW",
    RMSpropSpec: "RMSprop",
    AdagradSpec: "Adagrad",
}


def build_optimizer(spec: AnyOptimizer, precision: PrecisionSpec) -> Any:
    """An unbuilt Keras optimizer, inside a ``LossScaleOptimizer`` where one is asked for."""
    keras = import_keras()
    match spec:
        case ImportedOptimizerSpec():
            optimizer = call_import(spec, keras.optimizers.Optimizer, "a keras Optimizer")
        case SGDSpec() | AdamSpec() | AdamWSpec() | RMSpropSpec() | AdagradSpec():
            optimizer = _builtin(spec)
        case _:
            assert_never(spec)
    scale = precision.loss_scale
    if scale is None or not scale.excludes:
        _exclude(optimizer, spec)
    if scale is not None:
        optimizer = keras.mixed_precision.LossScaleOptimizer(
            optimizer, name="loss_scale", **scale.model_dump(exclude={"excludes"})
        )
        if scale.excludes:
            _exclude(optimizer, spec)
    return optimizer


def inner_optimizer(optimizer: Any) -> Any:
    """The optimizer that updates weights, without the loss scaling around it."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def _builtin(spec: SGDSpec | AdamSpec | AdamWSpec | RMSpropSpec | AdagradSpec) -> Any:
    arguments = spec.model_dump(exclude={"kind", "learning_rate", "exclude_from_weight_decay"})
    return getattr(import_keras().optimizers, _KERAS_CLASSES[type(spec)])(
        learning_rate=build_learning_rate(spec.learning_rate), name=spec.kind, **arguments
    )


def _exclude(optimizer: Any, spec: AnyOptimizer) -> None:
    names = getattr(spec, "exclude_from_weight_decay", ())
    if names:
        optimizer.exclude_from_weight_decay(var_names=list(names))
