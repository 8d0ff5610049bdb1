"""Metrics by Keras' names and arguments, and the own F1 of text 004."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.spec.base import (
    AtLeastTwo,
    Count,
    Flag,
    ImportSpec,
    Named,
    PositiveCount,
    Spec,
    Text,
    UnitInterval,
)


class MetricSpec(Spec):
    """What every metric takes.

    Attributes:
        name: Its key in the logs; None is Keras' own name for it.
    """

    name: Text | None = None


class PlainMetricSpec(MetricSpec):
    """A Keras metric without arguments of its own."""

    kind: Literal[
        "accuracy",
        "categorical_accuracy",
        "sparse_categorical_accuracy",
        "mean_squared_error",
        "mean_absolute_error",
        "root_mean_squared_error",
        "categorical_crossentropy",
        "sparse_categorical_crossentropy",
        "binary_crossentropy",
    ]


class BinaryAccuracySpec(MetricSpec):
    """Share of labels on the right side of `threshold`."""

    kind: Literal["binary_accuracy"] = "binary_accuracy"
    threshold: UnitInterval = 0.5


class TopKSpec(MetricSpec):
    """Share of examples whose true class is among the `k` likeliest."""

    kind: Literal["top_k_categorical_accuracy", "sparse_top_k_categorical_accuracy"]
    k: PositiveCount = 5


class AUCSpec(MetricSpec):
    """Area under a curve, approximated at `num_thresholds` thresholds."""

    kind: Literal["auc"] = "auc"
    num_thresholds: AtLeastTwo = 200
    curve: Literal["ROC", "PR"] = "ROC"
    from_logits: Flag = False


class PrecisionRecallSpec(MetricSpec):
    """Precision or recall at one threshold.

    Attributes:
        thresholds: Above it a prediction is positive; None is 0.5.
        top_k: Only the k likeliest classes count as positive.
        class_id: Only this class counts.
    """

    kind: Literal["precision", "recall"]
    thresholds: UnitInterval | None = None
    top_k: PositiveCount | None = None
    class_id: Count | None = None


class F1Spec(MetricSpec):
    """Harmonic mean of precision and recall over everything seen, sample weights honoured."""

    kind: Literal["f1"] = "f1"
    threshold: UnitInterval = 0.5


class ImportedMetricSpec(MetricSpec, ImportSpec):
    """The user's own: a function that returns a ``keras.Metric``."""

    kind: Literal["import"] = "import"


AnyMetric = Annotated[
    Annotated[
        PlainMetricSpec
        | BinaryAccuracySpec
        | TopKSpec
        | AUCSpec
        | PrecisionRecallSpec
        | F1Spec
        | ImportedMetricSpec,
        Field(discriminator="kind"),
    ],
    Named,
]
