"""Specs of losses to Keras losses, and the two own ones in Keras operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from harness.errors import PipelineError
from harness.pipeline.backend import import_keras
from harness.pipeline.imports import call_import, resolve
from harness.spec.losses import (
    FocalLossSpec,
    ImportedLossSpec,
    WeightedMSESpec,
)

if TYPE_CHECKING:
    from harness.spec.losses import AnyLoss, BuiltBy, KerasLoss

__all__ = ["build_loss", "built_by"]


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
        case _:
            return built_by(spec.built_by, "losses", _class_name(spec.kind), _arguments(spec))


def built_by(way: BuiltBy, module: str, name: str, arguments: dict[str, Any]) -> Any:
    """An object of Keras' own by one of the ways that must all make the same.

    Args:
        way: Which; the bare name is the class' in words, which Keras looks up itself.
        module: ``losses`` or ``metrics``.
        name: Name of the class.
        arguments: What the class takes.
    """
    namespace = getattr(import_keras(), module)
    kind = getattr(namespace, name)
    made = kind(**arguments)
    match way:
        case "class":
            return made
        case "config":
            return kind.from_config(made.get_config())
        case "serialized":
            return namespace.deserialize(namespace.serialize(made))
        case "name":
            return _SPOKEN.get(name) or "".join(
                f"_{letter.lower()}" if letter.isupper() else letter for letter in name
            ).lstrip("_")
        case _:
            assert_never(way)


_SPOKEN = {"CTC": "ctc", "KLDivergence": "kl_divergence"}


def _class_name(kind: str) -> str:
    name = "".join(part.capitalize() for part in kind.split("_"))
    return {"Ctc": "CTC", "KlDivergence": "KLDivergence"}.get(name, name)


def _arguments(spec: KerasLoss) -> dict[str, Any]:
    arguments = spec.model_dump(exclude={"kind", "built_by"}, exclude_none=True)
    # A tuple would come back from a saved file as a list.
    return {
        key: list(value) if isinstance(value, tuple) else value for key, value in arguments.items()
    }


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

    return WeightedMSE(name="weighted_mse", reduction=spec.reduction, dtype=spec.dtype)


def _focal_loss(spec: FocalLossSpec) -> Any:
    """One value per example, so that sample weights mean what they say."""
    keras = import_keras()
    ops = keras.ops

    class FocalLoss(keras.losses.Loss):  # type: ignore[misc, name-defined]
        def call(self, y_true: Any, y_pred: Any) -> Any:
            likely = ops.clip(y_pred, 1e-7, 1.0 - 1e-7)
            damping = spec.alpha * y_true * ops.power(1.0 - likely, spec.gamma)
            return ops.mean(-damping * y_true * ops.log(likely), axis=-1)

    return FocalLoss(name="focal_loss", reduction=spec.reduction, dtype=spec.dtype)
