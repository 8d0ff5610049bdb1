"""Specs of metrics to Keras metrics, and an F1 that honours sample weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.pipeline.backend import import_keras
from harness.pipeline.imports import call_import
from harness.pipeline.losses import built_by
from harness.spec.metrics import (
    F1Spec,
    ImportedMetricSpec,
    IoUSpec,
    MeanMetricWrapperSpec,
    OperatingPointSpec,
    PlainMetricSpec,
)

if TYPE_CHECKING:
    from harness.spec.metrics import AnyMetric, KerasMetric

__all__ = ["build_metric"]


def build_metric(spec: AnyMetric, *, compiled: bool = True) -> Any:
    """A fresh ``keras.Metric``, or for plain ``accuracy`` the name that `compile` resolves.

    Args:
        spec: The metric.
        compiled: Whether there is a `compile`; without, plain ``accuracy`` is exact equality.
    """
    keras = import_keras()
    match spec:
        case ImportedMetricSpec():
            return call_import(spec, keras.metrics.Metric, "a keras Metric")
        case F1Spec():
            return _f1(spec)
        case PlainMetricSpec(kind="accuracy") if compiled:
            return spec.kind
        case _:
            return built_by(spec.built_by, "metrics", _class_name(spec.kind), _arguments(spec))


_CLASSES = {
    "Auc": "AUC",
    "KlDivergence": "KLDivergence",
    "FbetaScore": "FBetaScore",
    "Iou": "IoU",
    "MeanIou": "MeanIoU",
    "OneHotIou": "OneHotIoU",
    "OneHotMeanIou": "OneHotMeanIoU",
    "BinaryIou": "BinaryIoU",
}


def _class_name(kind: str) -> str:
    camel = "".join(part.capitalize() for part in kind.split("_"))
    return _CLASSES.get(camel, camel)


def _arguments(spec: KerasMetric) -> dict[str, Any]:
    """What the class takes; what is None or has another name in a scenario file put right."""
    arguments = spec.model_dump(exclude={"kind", "built_by", "weighted"}, exclude_none=True)
    arguments.setdefault("name", spec.kind)
    for key in ("average", "class_aggregation"):
        if arguments.get(key) == "none":
            arguments[key] = None
    match spec:
        case OperatingPointSpec():
            arguments[spec.kind.rpartition("_at_")[2]] = arguments.pop("at")
        case MeanMetricWrapperSpec():
            arguments["fn"] = getattr(import_keras().losses, spec.fn)
            arguments |= arguments.pop("arguments")
        case IoUSpec():
            if spec.kind.startswith("one_hot"):
                del arguments["sparse_y_true"]
        case _:
            pass
    return {
        key: list(value) if isinstance(value, tuple) else value for key, value in arguments.items()
    }


def _f1(spec: F1Spec) -> Any:
    keras = import_keras()
    ops = keras.ops

    class F1(keras.metrics.Metric):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__(name=spec.name or "f1", dtype=spec.dtype)
            self.hits = self.add_weight(name="hits", initializer="zeros")
            self.predicted = self.add_weight(name="predicted", initializer="zeros")
            self.actual = self.add_weight(name="actual", initializer="zeros")

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            positive = ops.cast(y_pred >= spec.threshold, self.dtype)
            truth = ops.reshape(ops.cast(y_true, self.dtype), ops.shape(positive))
            weight = ops.ones_like(positive)
            if sample_weight is not None:
                given = ops.cast(sample_weight, self.dtype)
                weight = weight * ops.reshape(given, (-1, *([1] * (len(positive.shape) - 1))))
            self.hits.assign_add(ops.sum(weight * positive * truth))
            self.predicted.assign_add(ops.sum(weight * positive))
            self.actual.assign_add(ops.sum(weight * truth))

        def result(self) -> Any:
            # Both empty means nothing to find and nothing found: 0, as scikit-learn has it.
            return ops.divide_no_nan(2.0 * self.hits, self.predicted + self.actual)

    return F1()
