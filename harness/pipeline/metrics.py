"""Specs of metrics to Keras metrics, and an F1 that honours sample weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from harness.pipeline.backend import import_keras
from harness.pipeline.imports import call_import
from harness.spec.metrics import (
    AUCSpec,
    BinaryAccuracySpec,
    F1Spec,
    ImportedMetricSpec,
    PlainMetricSpec,
    PrecisionRecallSpec,
    TopKSpec,
)

if TYPE_CHECKING:
    from harness.spec.metrics import AnyMetric

__all__ = ["build_metric"]


def build_metric(spec: AnyMetric) -> Any:
    """A fresh ``keras.Metric``, or for plain ``accuracy`` the name that Keras resolves itself."""
    keras = import_keras()
    match spec:
        case ImportedMetricSpec():
            return call_import(spec, keras.metrics.Metric, "a keras Metric")
        case F1Spec():
            return _f1(spec)
        case PlainMetricSpec(kind="accuracy"):
            return spec.kind
        case (
            PlainMetricSpec()
            | BinaryAccuracySpec()
            | TopKSpec()
            | AUCSpec()
            | PrecisionRecallSpec()
        ):
            arguments = spec.model_dump(exclude={"kind"})
            if arguments["name"] is None:
                arguments["name"] = spec.kind
            return getattr(keras.metrics, _class_name(spec.kind))(**arguments)
        case _:
            assert_never(spec)


def _class_name(kind: str) -> str:
    camel = "".join(part.capitalize() for part in kind.split("_"))
    return {"Auc": "AUC"}.get(camel, camel)


def _f1(spec: F1Spec) -> Any:
    keras = import_keras()
    ops = keras.ops

    class F1(keras.metrics.Metric):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__(name=spec.name or "f1")
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
