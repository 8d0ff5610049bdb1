"""Specs of optimizers to Keras optimizers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.pipeline.backend import import_keras
from harness.pipeline.imports import call_import
from harness.pipeline.schedules import build_learning_rate
from harness.spec.optimizer import ImportedOptimizerSpec, MultiOptimizerSpec, MuonSpec

if TYPE_CHECKING:
    from harness.spec.optimizer import AnyOptimizer, BuiltinOptimizer
    from harness.spec.training import LossScaleSpec, PrecisionSpec

__all__ = ["build_optimizer", "inner_optimizer", "is_prebuilt", "start_from_weights"]

_KERAS_CLASSES = {
    "sgd": "SGD",
    "adam": "Adam",
    "adamw": "AdamW",
    "rmsprop": "RMSprop",
    "adagrad": "Adagrad",
    "adadelta": "Adadelta",
    "adamax": "Adamax",
    "nadam": "Nadam",
    "lion": "Lion",
    "ftrl": "Ftrl",
    "lamb": "Lamb",
    "adafactor": "Adafactor",
    "schedule_free_adamw": "ScheduleFreeAdamW",
    "muon": "Muon",
    "multi_optimizer": "MultiOptimizer",
}


_NO_ARGUMENTS = {"kind", "learning_rate", "exclude_from_weight_decay", "built_by", "prebuilt"}
_PLACEHOLDER_RATE = 0.5


def build_optimizer(spec: AnyOptimizer, precision: PrecisionSpec) -> Any:
    """An unbuilt Keras optimizer, inside a ``LossScaleOptimizer`` where one is asked for."""
    keras, scale = import_keras(), precision.loss_scale
    match spec:
        case ImportedOptimizerSpec():
            optimizer = call_import(spec, keras.optimizers.Optimizer, "a keras Optimizer")
        case MultiOptimizerSpec():
            optimizer = _multi(spec)
        case _:
            optimizer = _builtin(spec, scale)
    if scale is not None:
        optimizer = keras.mixed_precision.LossScaleOptimizer(
            optimizer, name="loss_scale", **scale.model_dump(exclude={"excludes"})
        )
        if not isinstance(spec, ImportedOptimizerSpec):
            _assign_rate(optimizer, spec)
            optimizer = _again(optimizer, spec, "lossscaleoptimizer")
        if scale.excludes:
            _exclude(optimizer, spec)
    return optimizer


def inner_optimizer(optimizer: Any) -> Any:
    """The optimizer that updates weights, without the loss scaling around it."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def is_prebuilt(spec: AnyOptimizer) -> bool:
    """Whether the variables of the optimizer are made before the training."""
    return isinstance(spec, ImportedOptimizerSpec) or spec.prebuilt


def start_from_weights(optimizer: Any, trainable: list[Any]) -> None:
    """Give a built optimizer's copies of the weights the values that the weights have now.

    Only ScheduleFreeAdamW has such copies: its "momentum" is where its own weights begin.
    """
    inner = inner_optimizer(optimizer)
    if inner.built and type(inner).__name__ == _KERAS_CLASSES["schedule_free_adamw"]:
        for copy, weight in zip(inner._momentums, trainable, strict=True):  # noqa: SLF001 - no public way
            copy.assign(weight)


def _builtin(spec: BuiltinOptimizer, scale: LossScaleSpec | None = None) -> Any:
    """An optimizer of Keras; what is asked of the loss scale around it is left to that."""
    keras = import_keras()
    arguments = spec.model_dump(exclude=_NO_ARGUMENTS)
    if isinstance(spec, MuonSpec):
        # Before 3.14 it had fewer arguments: what the file leaves out is left to Keras.
        arguments = spec.model_dump(exclude=_NO_ARGUMENTS, exclude_unset=True)
        arguments |= {"exclude_layers": list(spec.exclude_layers)}
    rate = build_learning_rate(spec.learning_rate)
    keras_class = getattr(keras.optimizers, _KERAS_CLASSES[spec.kind])
    if spec.built_by == "defaults":
        given = spec.model_dump(exclude={"learning_rate"}, exclude_defaults=True).keys()
        arguments = {name: value for name, value in arguments.items() if name in given}
        if spec.learning_rate != type(spec).model_fields["learning_rate"].default:
            arguments["learning_rate"] = rate
        return keras_class(name=spec.kind, **arguments)
    optimizer = keras_class(
        learning_rate=_PLACEHOLDER_RATE if spec.built_by == "assignment" else rate,
        name=spec.kind,
        **arguments,
    )
    if scale is None or not scale.excludes:
        _exclude(optimizer, spec)
    if scale is None:
        _assign_rate(optimizer, spec)
    return _again(optimizer, spec, _KERAS_CLASSES[spec.kind].lower())


def _multi(spec: MultiOptimizerSpec) -> Any:
    optimizers = import_keras().optimizers
    chosen = optimizers.OptimizerMap(_builtin(spec.default))
    for group in spec.groups:
        chosen[group.match] = _builtin(group.optimizer)
    optimizer = optimizers.MultiOptimizer(
        chosen.__call__ if spec.by_function else chosen,
        loss_scale_factor=spec.loss_scale_factor,
        name=spec.kind,
    )
    return _again(optimizer, spec, _KERAS_CLASSES[spec.kind].lower())


def _again(optimizer: Any, spec: BuiltinOptimizer | MultiOptimizerSpec, name: str) -> Any:
    """The same optimizer, made anew from its configuration in the way that is asked for.

    Args:
        optimizer: The optimizer.
        spec: Says which way.
        name: What Keras finds its class under.
    """
    optimizers = import_keras().optimizers
    match spec.built_by:
        case "config":
            return type(optimizer).from_config(optimizer.get_config())
        case "serialized":
            return optimizers.deserialize(optimizers.serialize(optimizer))
        case "name":
            return optimizers.get({"class_name": name, "config": optimizer.get_config()})
        case _:
            return optimizer


def _assign_rate(optimizer: Any, spec: BuiltinOptimizer | MultiOptimizerSpec) -> None:
    if not isinstance(spec, MultiOptimizerSpec) and spec.built_by == "assignment":
        optimizer.learning_rate = build_learning_rate(spec.learning_rate)


def _exclude(optimizer: Any, spec: AnyOptimizer) -> None:
    names = getattr(spec, "exclude_from_weight_decay", ())
    if names:
        optimizer.exclude_from_weight_decay(var_names=list(names))
