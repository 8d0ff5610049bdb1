"""Metrics by Keras' names and arguments, and the own F1 of text 004."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from harness.spec.base import (
    AtLeastTwo,
    Count,
    Finite,
    Flag,
    Fraction,
    ImportSpec,
    Integer,
    Named,
    NonNegative,
    Positive,
    PositiveCount,
    Rule,
    Spec,
    Text,
    UnitInterval,
)
from harness.spec.losses import BuiltBy, ComputeDtype


def _thresholds_tag(value: Any) -> str:
    return "several" if isinstance(value, list | tuple) else "one"


Thresholds = Annotated[
    Annotated[UnitInterval, Rule("be a number in [0, 1] or a list of them"), Tag("one")]
    | Annotated[tuple[UnitInterval, ...], Field(min_length=1), Tag("several")],
    Discriminator(_thresholds_tag),
]
"""One threshold, or several: then the metric is a list of as many numbers."""


class MetricSpec(Spec):
    """What every metric takes.

    Attributes:
        name: Its key in the logs; None is Keras' own name for it.
        weighted: It is one of ``weighted_metrics``, for which sample weights count.
        dtype: What it computes in; None is the default float.
        built_by: The way the object is made, which must not matter; see losses.
    """

    name: Text | None = None
    weighted: Flag = False
    dtype: ComputeDtype | None = None
    built_by: BuiltBy = "class"


class PlainMetricSpec(MetricSpec):
    """A Keras metric without arguments of its own."""

    kind: Literal[
        "accuracy",
        "categorical_accuracy",
        "sparse_categorical_accuracy",
        "mean_squared_error",
        "mean_absolute_error",
        "mean_absolute_percentage_error",
        "mean_squared_logarithmic_error",
        "root_mean_squared_error",
        "log_cosh_error",
        "hinge",
        "squared_hinge",
        "categorical_hinge",
        "kl_divergence",
        "poisson",
        "mean",
        "sum",
    ]


class CrossentropyMetricSpec(MetricSpec):
    """Mean cross-entropy of labels between 0 and 1.

    Attributes:
        from_logits: Predictions are scores, not probabilities.
        label_smoothing: Labels are moved by this share towards the even distribution.
        axis: Axis of the classes of the categorical one; None is the last.
    """

    kind: Literal["binary_crossentropy", "categorical_crossentropy"]
    from_logits: Flag = False
    label_smoothing: Fraction = 0.0
    axis: Integer | None = None


class SparseCrossentropyMetricSpec(MetricSpec):
    """Mean cross-entropy of integer labels.

    Attributes:
        from_logits: Predictions are scores, not probabilities.
        ignore_class: A label that does not count.
        axis: Axis of the classes; None is the last.
    """

    kind: Literal["sparse_categorical_crossentropy"] = "sparse_categorical_crossentropy"
    from_logits: Flag = False
    ignore_class: Integer | None = None
    axis: Integer | None = None


class AxisMetricSpec(MetricSpec):
    """How well predictions follow targets as vectors along one axis."""

    kind: Literal["cosine_similarity", "pearson_correlation", "concordance_correlation"]
    axis: Integer = -1


class R2ScoreSpec(MetricSpec):
    """Share of the variance of the targets that is explained.

    Attributes:
        class_aggregation: How several outputs become one number; ``none`` keeps them apart.
        num_regressors: Predictors that the adjusted score takes into account.
    """

    kind: Literal["r2_score"] = "r2_score"
    class_aggregation: Literal["uniform_average", "variance_weighted_average", "none"] = (
        "uniform_average"
    )
    num_regressors: Count = 0


class MeanMetricWrapperSpec(MetricSpec):
    """Mean of a Keras loss function.

    Attributes:
        fn: Name of the function.
        arguments: Its arguments.
    """

    kind: Literal["mean_metric_wrapper"] = "mean_metric_wrapper"
    fn: Text
    arguments: dict[str, Finite] = Field(default_factory=dict)


class BinaryAccuracySpec(MetricSpec):
    """Share of labels on the right side of `threshold`."""

    kind: Literal["binary_accuracy"] = "binary_accuracy"
    threshold: UnitInterval = 0.5


class TopKSpec(MetricSpec):
    """Share of examples whose true class is among the `k` likeliest."""

    kind: Literal["top_k_categorical_accuracy", "sparse_top_k_categorical_accuracy"]
    k: PositiveCount = 5


class AUCSpec(MetricSpec):
    """Area under a curve, approximated at `num_thresholds` thresholds.

    Attributes:
        num_thresholds: How many, evenly spread.
        curve: Receiver operating characteristic, or precision over recall.
        summation_method: Between two thresholds: interpolated, the larger or the smaller height.
        thresholds: These in place of evenly spread ones.
        multi_label: One curve per label, averaged.
        label_weights: Weight of each label in the average, or of its examples.
        from_logits: Predictions are scores, not probabilities.
    """

    kind: Literal["auc"] = "auc"
    num_thresholds: AtLeastTwo = 200
    curve: Literal["ROC", "PR"] = "ROC"
    summation_method: Literal["interpolation", "majoring", "minoring"] = "interpolation"
    thresholds: tuple[UnitInterval, ...] | None = None
    multi_label: Flag = False
    label_weights: tuple[NonNegative, ...] | None = None
    from_logits: Flag = False


class PrecisionRecallSpec(MetricSpec):
    """Precision or recall at one threshold, or at several.

    Attributes:
        thresholds: Above it a prediction is positive; None is 0.5.
        top_k: Only the k likeliest classes count as positive.
        class_id: Only this class counts.
    """

    kind: Literal["precision", "recall"]
    thresholds: Thresholds | None = None
    top_k: PositiveCount | None = None
    class_id: Count | None = None


class ConfusionCountSpec(MetricSpec):
    """Number of decisions of one kind.

    Attributes:
        thresholds: Above it a prediction is positive; None is 0.5.
    """

    kind: Literal["true_positives", "true_negatives", "false_positives", "false_negatives"]
    thresholds: Thresholds | None = None


class OperatingPointSpec(MetricSpec):
    """The best of one rate among the thresholds at which another rate is high enough.

    Attributes:
        at: How high the other rate must be.
        num_thresholds: How many evenly spread thresholds are tried.
        class_id: Only this class counts.
    """

    kind: Literal[
        "sensitivity_at_specificity",
        "specificity_at_sensitivity",
        "precision_at_recall",
        "recall_at_precision",
    ]
    at: UnitInterval
    num_thresholds: PositiveCount = 200
    class_id: Count | None = None


class FScoreSpec(MetricSpec):
    """F score per class, and how the classes become one number.

    Attributes:
        average: ``none`` keeps the classes apart; ``micro`` pools their counts; ``macro`` is their
            mean; ``weighted`` weighs them by their true examples.
        threshold: Above it a prediction is positive; None is the largest of each example.
    """

    kind: Literal["f1_score"] = "f1_score"
    average: Literal["none", "micro", "macro", "weighted"] = "none"
    threshold: Positive | None = None


class FBetaScoreSpec(MetricSpec):
    """F score in which recall weighs `beta` times as much as precision; the rest as in F1."""

    kind: Literal["fbeta_score"] = "fbeta_score"
    average: Literal["none", "micro", "macro", "weighted"] = "none"
    threshold: Positive | None = None
    beta: Positive = 1.0


class IoUSpec(MetricSpec):
    """Overlap of predicted and true classes over their union.

    Attributes:
        num_classes: Number of classes.
        target_class_ids: The classes that are averaged; the mean ones take all.
        ignore_class: A true class that does not count.
        sparse_y_true: Targets are class numbers; never for the one-hot ones.
        sparse_y_pred: Predictions are class numbers; None is true but for the one-hot ones.
        axis: Axis of the classes where they are not numbers.
    """

    kind: Literal["iou", "mean_iou", "one_hot_iou", "one_hot_mean_iou"]
    num_classes: AtLeastTwo
    target_class_ids: tuple[Count, ...] | None = None
    ignore_class: Integer | None = None
    sparse_y_true: Flag = True
    sparse_y_pred: Flag | None = None
    axis: Integer = -1


class BinaryIoUSpec(MetricSpec):
    """Overlap over union of two classes that a threshold decides.

    Attributes:
        target_class_ids: The classes that are averaged.
        threshold: From it on a prediction is of class 1.
    """

    kind: Literal["binary_iou"] = "binary_iou"
    target_class_ids: tuple[Count, ...] = (0, 1)
    threshold: UnitInterval = 0.5


class F1Spec(MetricSpec):
    """Harmonic mean of precision and recall over everything seen, sample weights honoured."""

    kind: Literal["f1"] = "f1"
    threshold: UnitInterval = 0.5


class ImportedMetricSpec(MetricSpec, ImportSpec):
    """The user's own: a function that returns a ``keras.Metric``."""

    kind: Literal["import"] = "import"


KerasMetric = (
    PlainMetricSpec
    | CrossentropyMetricSpec
    | SparseCrossentropyMetricSpec
    | AxisMetricSpec
    | R2ScoreSpec
    | MeanMetricWrapperSpec
    | BinaryAccuracySpec
    | TopKSpec
    | AUCSpec
    | PrecisionRecallSpec
    | ConfusionCountSpec
    | OperatingPointSpec
    | FScoreSpec
    | FBetaScoreSpec
    | IoUSpec
    | BinaryIoUSpec
)
"""The metrics that Keras itself ships."""

AnyMetric = Annotated[
    Annotated[
        KerasMetric | F1Spec | ImportedMetricSpec,
        Field(discriminator="kind"),
    ],
    Named,
]
