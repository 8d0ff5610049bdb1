"""Every Keras metric over all samples at once, weighted, for any number of batches.

Each function takes targets, predictions and weights; the weights are of a whole sample, of a
position in it or of each output, and are spread over what is behind them. Ratios with nothing below
are 0, as Keras documents for those that have a rule.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from harness.oracles.arrays import Float64, Int64, require_known
from harness.oracles.losses_values import LOSS_VALUES, with_class_axis
from harness.oracles.metrics import categorical_accuracy, top_k_categorical_accuracy, weighted_mean
from harness.oracles.metrics_curves import CURVES

Targets: TypeAlias = Float64 | Int64
Weights: TypeAlias = Float64 | None
Result: TypeAlias = float | Float64

__all__ = ["METRIC_VALUES", "metric_value"]


def _mean_of_loss(kind: str, sign: float = 1.0) -> Callable[..., Result]:
    def value(y_true: Targets, y_pred: Float64, weights: Weights, **arguments: object) -> Result:
        found = LOSS_VALUES[kind](y_true, y_pred, **arguments)
        counted = np.ones_like(found.values) if found.counted is None else found.counted
        if weights is not None:
            tail = (1,) * (counted.ndim - weights.ndim)
            counted = counted * weights.reshape(weights.shape + tail)
        return weighted_mean(sign * found.values, counted)

    return value


def mean_metric_wrapper(
    y_true: Targets, y_pred: Float64, weights: Weights, *, fn: str, **arguments: object
) -> Result:
    """Return the weighted mean of the values of one loss function."""
    return _mean_of_loss(fn)(y_true, y_pred, weights, **arguments)


def accuracy(y_true: Targets, y_pred: Float64, weights: Weights) -> Result:
    """Return the share of elements that are equal."""
    return weighted_mean(y_true == y_pred, weights)


def binary_accuracy(
    y_true: Targets, y_pred: Float64, weights: Weights, *, threshold: float = 0.5
) -> Result:
    """Return the share of elements with ``(y_pred > threshold) == y_true``."""
    return weighted_mean((y_pred > threshold) == y_true, weights)


def _of_classes(function: Callable[..., float], *, numbered: bool) -> Callable[..., Result]:
    def value(y_true: Targets, y_pred: Float64, weights: Weights, **arguments: object) -> Result:
        rows = with_class_axis(y_true, y_pred)[0] if numbered else y_true
        return function(rows, y_pred, sample_weight=weights, **arguments)

    return value


def mean(y_true: Targets, y_pred: Float64, weights: Weights) -> Result:  # noqa: ARG001 - signature
    """Return the weighted mean of the predictions themselves."""
    return weighted_mean(y_pred, weights)


def total(y_true: Targets, y_pred: Float64, weights: Weights) -> Result:  # noqa: ARG001 - signature
    """Return the weighted sum of the predictions themselves."""
    if weights is None:
        return float(np.sum(y_pred))
    tail = (1,) * (y_pred.ndim - weights.ndim)
    return float(np.sum(y_pred * weights.reshape(weights.shape + tail)))


def root_mean_squared_error(y_true: Targets, y_pred: Float64, weights: Weights) -> Result:
    """Return the root of the weighted mean of all squared errors."""
    return float(np.sqrt(weighted_mean((y_true - y_pred) ** 2, weights)))


def pearson_correlation(
    y_true: Targets, y_pred: Float64, weights: Weights, *, axis: int = -1
) -> Result:
    """Return the mean over samples of the linear correlation along `axis`."""
    first = y_true - np.mean(y_true, axis=axis, keepdims=True)
    second = y_pred - np.mean(y_pred, axis=axis, keepdims=True)
    spread = np.sqrt(np.sum(first**2, axis=axis) * np.sum(second**2, axis=axis))
    return weighted_mean(np.sum(first * second, axis=axis) / spread, weights)


def concordance_correlation(
    y_true: Targets, y_pred: Float64, weights: Weights, *, axis: int = -1
) -> Result:
    """Return the mean over samples of Lin's concordance along `axis`; Lin 1989, equation 1.

    ``2 * cov / (var + var + (mean - mean)**2)`` with variances over n.
    """
    gap = np.mean(y_true, axis=axis) - np.mean(y_pred, axis=axis)
    first = y_true - np.mean(y_true, axis=axis, keepdims=True)
    second = y_pred - np.mean(y_pred, axis=axis, keepdims=True)
    below = np.mean(first**2, axis=axis) + np.mean(second**2, axis=axis) + gap**2
    return weighted_mean(2.0 * np.mean(first * second, axis=axis) / below, weights)


def r2_score(
    y_true: Targets,
    y_pred: Float64,
    weights: Weights,
    *,
    class_aggregation: str = "uniform_average",
    num_regressors: int = 0,
) -> Result:
    """Return ``1 - squared errors / squared deviations`` per output, averaged as asked.

    Adjusted for p regressors and n samples it is ``1 - (1 - r2) * (n - 1) / (n - p - 1)``.
    """
    weight = np.ones(len(y_true)) if weights is None else weights
    column = weight[:, np.newaxis]
    centre = np.sum(column * y_true, axis=0) / np.sum(weight)
    deviations = np.sum(column * (y_true - centre) ** 2, axis=0)
    scores = 1.0 - np.sum(column * (y_true - y_pred) ** 2, axis=0) / deviations
    if class_aggregation == "uniform_average":
        scores = np.mean(scores)
    elif class_aggregation == "variance_weighted_average":
        scores = np.sum(scores * deviations) / np.sum(deviations)
    samples = len(y_true)
    if 0 < num_regressors < samples - 1:
        scores = 1.0 - (1.0 - scores) * (samples - 1.0) / (samples - num_regressors - 1.0)
    return np.asarray(scores)


def fbeta_score(
    y_true: Targets,
    y_pred: Float64,
    weights: Weights,
    *,
    average: str = "none",
    beta: float = 1.0,
    threshold: float | None = None,
) -> Result:
    """Return ``(1 + b) * TP / ((1 + b) * TP + b * FN + FP)`` with b the square of `beta`.

    Without a threshold the largest predictions of a sample are its positive ones.
    """
    largest = np.max(y_pred, axis=-1, keepdims=True)
    decided = (y_pred >= largest) if threshold is None else (y_pred > threshold)
    column = np.ones((len(y_true), 1)) if weights is None else weights[:, np.newaxis]
    hits = np.sum(column * decided * y_true, axis=0)
    false_positives = np.sum(column * decided * (1.0 - y_true), axis=0)
    false_negatives = np.sum(column * ~decided * y_true, axis=0)
    if average == "micro":
        hits, false_positives, false_negatives = (
            np.sum(part) for part in (hits, false_positives, false_negatives)
        )
    above = (1.0 + beta**2) * hits
    below = above + beta**2 * false_negatives + false_positives
    scores = np.divide(above, below, out=np.zeros_like(above), where=below > 0)
    if average == "macro":
        return float(np.mean(scores))
    if average == "weighted":
        return weighted_mean(scores, np.sum(column * y_true, axis=0))
    return np.asarray(scores)


def intersection_over_union(
    y_true: Targets,
    y_pred: Targets,
    weights: Weights,
    *,
    num_classes: int,
    target_class_ids: tuple[int, ...] | None = None,
    ignore_class: int | None = None,
) -> Result:
    """Return the mean over the target classes of ``TP / (TP + FP + FN)`` of class numbers.

    Classes that neither occur nor are predicted are left out; without any the mean is 0. A place
    whose true or predicted number is no class at all does not count.
    """
    weight = np.ones(y_true.shape) if weights is None else weights
    spread = np.broadcast_to(
        weight.reshape(weight.shape + (1,) * (y_true.ndim - weight.ndim)), y_true.shape
    )
    classes = (y_true >= 0) & (y_true < num_classes) & (y_pred >= 0) & (y_pred < num_classes)
    counted = spread * (classes if ignore_class is None else classes & (y_true != ignore_class))
    found = []
    for label in range(num_classes) if target_class_ids is None else target_class_ids:
        actual, predicted = y_true == label, y_pred == label
        union = float(np.sum(counted * (actual | predicted)))
        if union:
            found.append(float(np.sum(counted * (actual & predicted))) / union)
    return float(np.mean(found)) if found else 0.0


def _iou(
    y_true: Targets,
    y_pred: Targets,
    weights: Weights,
    *,
    sparse_y_true: bool = True,
    sparse_y_pred: bool = True,
    axis: int = -1,
    **arguments: object,
) -> Result:
    truth = y_true if sparse_y_true else np.argmax(y_true, axis=axis)
    guess = y_pred if sparse_y_pred else np.argmax(y_pred, axis=axis)
    return intersection_over_union(truth, guess, weights, **arguments)  # type: ignore[arg-type]


def _one_hot_iou(y_true: Targets, y_pred: Targets, weights: Weights, **arguments: object) -> Result:
    own = {"sparse_y_pred": False, **arguments, "sparse_y_true": False}
    return _iou(y_true, y_pred, weights, **own)  # type: ignore[arg-type]


def binary_iou(
    y_true: Targets,
    y_pred: Float64,
    weights: Weights,
    *,
    target_class_ids: tuple[int, ...] = (0, 1),
    threshold: float = 0.5,
) -> Result:
    """Return the overlap over union of two classes; from `threshold` on it is class 1."""
    decided = (y_pred >= threshold).astype(np.int64)
    return intersection_over_union(
        y_true, decided, weights, num_classes=2, target_class_ids=target_class_ids
    )


_MEANS = (
    "mean_squared_error",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_logarithmic_error",
    "hinge",
    "squared_hinge",
    "categorical_hinge",
    "kl_divergence",
    "poisson",
    "binary_crossentropy",
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
)

METRIC_VALUES: Mapping[str, Callable[..., Result]] = MappingProxyType(
    {kind: _mean_of_loss(kind) for kind in _MEANS}
    | {
        "log_cosh_error": _mean_of_loss("log_cosh"),
        "cosine_similarity": _mean_of_loss("cosine_similarity", -1.0),
        "categorical_accuracy": _of_classes(categorical_accuracy, numbered=False),
        "sparse_categorical_accuracy": _of_classes(categorical_accuracy, numbered=True),
        "top_k_categorical_accuracy": _of_classes(top_k_categorical_accuracy, numbered=False),
        "sparse_top_k_categorical_accuracy": _of_classes(top_k_categorical_accuracy, numbered=True),
        "sum": total,
        "f1_score": fbeta_score,
        "iou": _iou,
        "mean_iou": _iou,
        "one_hot_iou": _one_hot_iou,
        "one_hot_mean_iou": _one_hot_iou,
    }
    | {
        function.__name__: function
        for function in (
            accuracy,
            binary_accuracy,
            binary_iou,
            concordance_correlation,
            fbeta_score,
            mean,
            mean_metric_wrapper,
            pearson_correlation,
            r2_score,
            root_mean_squared_error,
        )
    }
    | dict(CURVES)
)
"""Every Keras metric by its name in scenario files."""


def metric_value(
    kind: str,
    y_true: Targets,
    y_pred: Float64,
    *,
    sample_weight: Weights = None,
    arguments: Mapping[str, object] = MappingProxyType({}),
) -> Result:
    """Return one metric over all samples: a number, or one per class or threshold.

    Raises:
        ArgumentError: No metric has that name.
    """
    require_known("metric", kind, tuple(METRIC_VALUES))
    return METRIC_VALUES[kind](y_true, y_pred, sample_weight, **arguments)
