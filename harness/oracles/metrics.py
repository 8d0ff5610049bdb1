"""Metrics over all samples at once; what a metric fed batch by batch must come to.

Matches are weighted means: ``sum(w * match) / sum(w)`` with weights 1 by default, and 0 where all
weights are 0, as Keras' `divide_no_nan` gives.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from harness.oracles.arrays import Float64, Int64, require_positive, require_same_shape
from harness.oracles.losses import one_hot


class Confusion(NamedTuple):
    """Weighted counts of binary decisions."""

    true_positives: float
    false_positives: float
    false_negatives: float


def weighted_mean(values: npt.ArrayLike, sample_weight: Float64 | None = None) -> float:
    """Return ``sum(w * v) / sum(w)``, or 0 where the weights sum to 0.

    Args:
        values: Shape (*dims).
        sample_weight: Shape (*dims), or (*dims[:k],) to weight whole samples; ones by default.

    Raises:
        ShapeError: The weights don't have the leading shape of the values.
    """
    array = np.asarray(values, dtype=np.float64)
    weights = _spread(sample_weight, array)
    total = float(np.sum(weights))
    return float(np.sum(array * weights)) / total if total else 0.0


def binary_accuracy(
    y_true: Float64,
    y_pred: Float64,
    *,
    threshold: float = 0.5,
    sample_weight: Float64 | None = None,
) -> float:
    """Return the share of elements with ``(y_pred > threshold) == y_true``.

    Raises:
        ShapeError: The arrays don't fit together.
    """
    require_same_shape(y_pred, y_true=y_true)
    return weighted_mean((y_pred > threshold) == y_true, sample_weight)


def categorical_accuracy(
    y_true: Float64, y_pred: Float64, *, sample_weight: Float64 | None = None
) -> float:
    """Return the share of samples whose largest prediction is at the largest target.

    Among equal predictions the first counts as the largest.

    Raises:
        ShapeError: The arrays don't fit together.
    """
    require_same_shape(y_pred, y_true=y_true)
    return weighted_mean(np.argmax(y_true, -1) == np.argmax(y_pred, -1), sample_weight)


def sparse_categorical_accuracy(
    y_true: Float64 | Int64, y_pred: Float64, *, sample_weight: Float64 | None = None
) -> float:
    """Return `categorical_accuracy` for targets given as class indices.

    Raises:
        ShapeError: The arrays don't fit together.
    """
    return categorical_accuracy(one_hot(y_true, y_pred), y_pred, sample_weight=sample_weight)


def top_k_categorical_accuracy(
    y_true: Float64, y_pred: Float64, *, k: int = 5, sample_weight: Float64 | None = None
) -> float:
    """Return the share of samples whose true class is among the `k` largest predictions.

    Classes that tie at the k-th place are all among them, as `tf.math.in_top_k` documents: a class
    is in if fewer than `k` predictions are greater.

    Raises:
        ArgumentError: `k` is not positive.
        ShapeError: The arrays don't fit together.
    """
    require_positive(k=k)
    require_same_shape(y_pred, y_true=y_true)
    true_class = np.argmax(y_true, axis=-1)[..., np.newaxis]
    own = np.take_along_axis(y_pred, true_class, axis=-1)
    return weighted_mean(np.sum(y_pred > own, axis=-1) < k, sample_weight)


def sparse_top_k_categorical_accuracy(
    y_true: Float64 | Int64,
    y_pred: Float64,
    *,
    k: int = 5,
    sample_weight: Float64 | None = None,
) -> float:
    """Return `top_k_categorical_accuracy` for targets given as class indices.

    Raises:
        ArgumentError: `k` is not positive.
        ShapeError: The arrays don't fit together.
    """
    rows = one_hot(y_true, y_pred)
    return top_k_categorical_accuracy(rows, y_pred, k=k, sample_weight=sample_weight)


def confusion(
    y_true: Float64,
    y_pred: Float64,
    *,
    threshold: float = 0.5,
    inclusive: bool = False,
    sample_weight: Float64 | None = None,
) -> Confusion:
    """Return weighted counts of binary decisions.

    Args:
        y_true: Truth, 0 or 1 per element.
        y_pred: Scores, same shape.
        threshold: A score above it is a positive decision.
        inclusive: Whether a score equal to the threshold is positive too; in Keras it is not.
        sample_weight: Weight per element or sample.

    Raises:
        ShapeError: The arrays don't fit together.
    """
    require_same_shape(y_pred, y_true=y_true)
    decided = (y_pred >= threshold) if inclusive else (y_pred > threshold)
    truth = y_true > 0
    weights = _spread(sample_weight, y_pred)
    return Confusion(
        float(np.sum(weights * (decided & truth))),
        float(np.sum(weights * (decided & ~truth))),
        float(np.sum(weights * (~decided & truth))),
    )


def precision(
    y_true: Float64,
    y_pred: Float64,
    *,
    threshold: float = 0.5,
    sample_weight: Float64 | None = None,
) -> float:
    """Return ``TP / (TP + FP)``, 0 without any positive decision."""
    counts = confusion(y_true, y_pred, threshold=threshold, sample_weight=sample_weight)
    return _ratio(counts.true_positives, counts.true_positives + counts.false_positives)


def recall(
    y_true: Float64,
    y_pred: Float64,
    *,
    threshold: float = 0.5,
    sample_weight: Float64 | None = None,
) -> float:
    """Return ``TP / (TP + FN)``, 0 without any positive truth."""
    counts = confusion(y_true, y_pred, threshold=threshold, sample_weight=sample_weight)
    return _ratio(counts.true_positives, counts.true_positives + counts.false_negatives)


def f1(
    y_true: Float64,
    y_pred: Float64,
    *,
    threshold: float = 0.5,
    inclusive: bool = True,
    sample_weight: Float64 | None = None,
) -> float:
    """Return ``2 * TP / (2 * TP + FP + FN)``, 0 without any positive.

    VARIANT: one binary decision per element, pooled ("micro"). Scores at the threshold are
    positive by default, as hand-written F1 metrics have it; ``inclusive=False`` is Keras' rule.
    Hand-written ones often add 1e-7 to denominators and then fall short by about 2e-7.
    """
    counts = confusion(
        y_true, y_pred, threshold=threshold, inclusive=inclusive, sample_weight=sample_weight
    )
    hits = 2.0 * counts.true_positives
    return _ratio(hits, hits + counts.false_positives + counts.false_negatives)


def mean_squared_error(
    y_true: Float64, y_pred: Float64, *, sample_weight: Float64 | None = None
) -> float:
    """Return the weighted mean over samples of ``mean((y_pred - y_true)**2)``.

    Raises:
        ShapeError: The arrays don't fit together.
    """
    require_same_shape(y_pred, y_true=y_true)
    return weighted_mean(np.mean((y_pred - y_true) ** 2, axis=-1), sample_weight)


def mean_absolute_error(
    y_true: Float64, y_pred: Float64, *, sample_weight: Float64 | None = None
) -> float:
    """Return the weighted mean over samples of ``mean(|y_pred - y_true|)``.

    Raises:
        ShapeError: The arrays don't fit together.
    """
    require_same_shape(y_pred, y_true=y_true)
    return weighted_mean(np.mean(np.abs(y_pred - y_true), axis=-1), sample_weight)


def root_mean_squared_error(
    y_true: Float64, y_pred: Float64, *, sample_weight: Float64 | None = None
) -> float:
    """Return the root of the weighted mean over all elements of ``(y_pred - y_true)**2``.

    Raises:
        ShapeError: The arrays don't fit together.
    """
    require_same_shape(y_pred, y_true=y_true)
    return float(np.sqrt(weighted_mean((y_pred - y_true) ** 2, sample_weight)))


METRICS: Mapping[str, Callable[..., float]] = MappingProxyType(
    {
        function.__name__: function
        for function in (
            binary_accuracy,
            categorical_accuracy,
            sparse_categorical_accuracy,
            top_k_categorical_accuracy,
            sparse_top_k_categorical_accuracy,
            precision,
            recall,
            f1,
            mean_squared_error,
            mean_absolute_error,
            root_mean_squared_error,
        )
    }
)
"""Every metric of targets, predictions and weights by its snake_case name."""


def _spread(sample_weight: Float64 | None, like: Float64) -> Float64:
    """Return weights of the full shape of `like`, whole samples sharing one weight."""
    if sample_weight is None:
        return np.ones(like.shape)
    weights = np.asarray(sample_weight, dtype=np.float64)
    require_same_shape(np.empty(like.shape[: weights.ndim]), sample_weight=weights)
    return np.broadcast_to(
        weights.reshape(weights.shape + (1,) * (like.ndim - weights.ndim)), like.shape
    )


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
