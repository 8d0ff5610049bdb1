"""Specs of losses to Keras losses, and the two own ones in Keras operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from harness.errors import PipelineError
from harness.pipeline.backend import import_keras
from harness.pipeline.imports import call_import, resolve
from harness.spec.losses import (
    BinaryCrossentropySpec,
    CategoricalCrossentropySpec,
    FocalLossSpec,
    HuberSpec,
    ImportedLossSpec,
    PlainLossSpec,
    SparseCategoricalCrossentropySpec,
    WeightedMSESpec,
)

if TYPE_CHECKING:
    from harness.spec.losses import AnyLoss

__all__ = ["build_loss"]


def build_loss(spec: AnyLoss) -> Any:
    """A ``keras.Loss``, or a function of (y_true, y_pred)."""
    match spec:
        case WeightedMSESpec():
            return _weighted_mse(spec)
        case FocalLossSpec():
            return _focal_loss(spec)
        case ImportedLossSpec(call=False):
            return resolve(spec.import_)
        case ImportedLossSpec():
            return _imported(spec)
        case (
            PlainLossSpec()
            | HuberSpec()
            | BinaryCrossentropySpec()
            | CategoricalCrossentropySpec()
            | SparseCategoricalCrossentropySpec()
        ):
            name = "".join(part.capitalize() for part in spec.kind.split("_"))
            name = {"KlDivergence": "KLDivergence"}.get(name, name)
            return getattr(import_keras().losses, name)(**spec.model_dump(exclude={"kind"}))
        case _:
            assert_never(spec)


def _imported(spec: ImportedLossSpec) -> Any:
    loss = call_import(spec, object, "a keras Loss or a function")
    if not callable(loss):
        message = (
            f"{spec.import_} must return a keras Loss or a function, "
            f"got type {type(loss).__name__}."
        )
        raise PipelineError(message)
    return loss


def _weighted_mse(spec: WeightedMSESpec) -> Any:
    """Mean over the outputs of each example; the reduction over examples stays with Keras."""
    keras = import_keras()
    ops = keras.ops

    class WeightedMSE(keras.losses.Loss):  # type: ignore[misc, name-defined]
        def call(self, y_true: Any, y_pred: Any) -> Any:
            error = y_true - y_pred
            weight = ops.where(error > 0, spec.under_weight, 1.0)
            return ops.mean(ops.cast(weight, error.dtype) * ops.square(error), axis=-1)

    return WeightedMSE(name="weighted_mse", reduction=spec.reduction)


def _focal_loss(spec: FocalLossSpec) -> Any:
    """One value per example, so that sample weights mean what they say."""
    keras = import_keras()
    ops = keras.ops

    class FocalLoss(keras.losses.Loss):  # type: ignore[misc, name-defined]
        def call(self, y_true: Any, y_pred: Any) -> Any:
            likely = ops.clip(y_pred, 1e-7, 1.0 - 1e-7)
            damping = spec.alpha * y_true * ops.power(1.0 - likely, spec.gamma)
            return ops.mean(-damping * y_true * ops.log(likely), axis=-1)

    return FocalLoss(name="focal_loss", reduction=spec.reduction)
