"""Losses per sample, their reductions and their gradients with respect to the predictions.

Each loss function takes `y_true` and `y_pred` of shape (*batch, outputs) (class indices of shape
(*batch,) or (*batch, 1) for the sparse one) and returns a pair: the value per sample, shape
(*batch,), and the derivative of each sample's own value, shape (*batch, outputs). Means run over
the last axis.

Probabilities are clipped to ``[EPSILON, 1 - EPSILON]`` before a logarithm, as Keras documents for
its backend epsilon; where the clip cuts, the derivative is zero. A Keras model whose last
activation is a sigmoid or softmax skips this: Keras then goes back to the logits, which is the
``from_logits=True`` form of the same loss.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np

from harness.oracles.arrays import (
    ArgumentError,
    Float64,
    Int64,
    require_known,
    require_positive,
    require_same_shape,
)

EPSILON = 1e-7
"""Default of `keras.backend.epsilon()`."""

Reduction = Literal["sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none"]


class LossValues(NamedTuple):
    """Values and derivatives of a loss before reduction.

    Attributes:
        values: One value per sample, shape (*batch,).
        gradient: Derivative of each value by its own predictions, shape (*batch, outputs).
    """

    values: Float64
    gradient: Float64


def mean_squared_error(y_true: Float64, y_pred: Float64) -> LossValues:
    """Return ``mean((y_pred - y_true)**2)`` and ``2 * (y_pred - y_true) / outputs``."""
    require_same_shape(y_pred, y_true=y_true)
    error = y_pred - y_true
    return LossValues(np.mean(error**2, axis=-1), 2.0 * error / error.shape[-1])


def mean_absolute_error(y_true: Float64, y_pred: Float64) -> LossValues:
    """Return ``mean(|y_pred - y_true|)`` and ``sign(y_pred - y_true) / outputs``, 0 in the kink."""
    require_same_shape(y_pred, y_true=y_true)
    error = y_pred - y_true
    return LossValues(np.mean(np.abs(error), axis=-1), np.sign(error) / error.shape[-1])


def huber(y_true: Float64, y_pred: Float64, *, delta: float = 1.0) -> LossValues:
    """Return the Huber loss: quadratic up to an error of `delta`, linear beyond.

    ``0.5 * e**2`` where ``|e| <= delta``, else ``delta * |e| - 0.5 * delta**2``; then the mean.

    Raises:
        ArgumentError: `delta` is not positive.

    References:
        Huber, "Robust estimation of a location parameter", 1964. Keras, `keras.losses.huber`.
    """
    require_positive(delta=delta)
    require_same_shape(y_pred, y_true=y_true)
    error = y_pred - y_true
    size = np.abs(error)
    values = np.where(size <= delta, 0.5 * error**2, delta * size - 0.5 * delta**2)
    gradient = np.clip(error, -delta, delta) / error.shape[-1]
    return LossValues(np.mean(values, axis=-1), gradient)


def binary_crossentropy(
    y_true: Float64, y_pred: Float64, *, from_logits: bool = False, label_smoothing: float = 0.0
) -> LossValues:
    """Return ``mean(-t * log(p) - (1 - t) * log(1 - p))`` and its derivative.

    ``t = y_true * (1 - label_smoothing) + 0.5 * label_smoothing``. From logits z the value is
    computed as ``max(z, 0) - z * t + log(1 + exp(-|z|))`` without any clip.

    References:
        Keras, `keras.losses.binary_crossentropy`.
    """
    require_same_shape(y_pred, y_true=y_true)
    target = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    outputs = y_pred.shape[-1]
    if from_logits:
        values = np.maximum(y_pred, 0.0) - y_pred * target + np.log1p(np.exp(-np.abs(y_pred)))
        return LossValues(np.mean(values, axis=-1), (sigmoid(y_pred) - target) / outputs)
    clipped, inside = _clipped(y_pred)
    values = -target * np.log(clipped) - (1.0 - target) * np.log(1.0 - clipped)
    gradient = inside * ((1.0 - target) / (1.0 - clipped) - target / clipped) / outputs
    return LossValues(np.mean(values, axis=-1), gradient)


def categorical_crossentropy(
    y_true: Float64, y_pred: Float64, *, from_logits: bool = False, label_smoothing: float = 0.0
) -> LossValues:
    """Return ``-sum(t * log(q))`` and its derivative, with q the normalised probabilities.

    ``t = y_true * (1 - label_smoothing) + label_smoothing / classes``. Probabilities are divided
    by their sum and then clipped; from logits q is their softmax, and nothing is clipped.

    References:
        Keras, `keras.losses.categorical_crossentropy`.
    """
    require_same_shape(y_pred, y_true=y_true)
    target = y_true * (1.0 - label_smoothing) + label_smoothing / y_pred.shape[-1]
    if from_logits:
        log_q = y_pred - np.max(y_pred, axis=-1, keepdims=True)
        log_q = log_q - np.log(np.sum(np.exp(log_q), axis=-1, keepdims=True))
        gradient = np.exp(log_q) * np.sum(target, axis=-1, keepdims=True) - target
        return LossValues(-np.sum(target * log_q, axis=-1), gradient)
    total = np.sum(y_pred, axis=-1, keepdims=True)
    q = y_pred / total
    clipped, inside = _clipped(q)
    by_q = -inside * target / clipped
    gradient = (by_q - np.sum(by_q * q, axis=-1, keepdims=True)) / total
    return LossValues(-np.sum(target * np.log(clipped), axis=-1), gradient)


def sparse_categorical_crossentropy(
    y_true: Float64 | Int64, y_pred: Float64, *, from_logits: bool = False
) -> LossValues:
    """Return `categorical_crossentropy` of the one-hot targets with these class indices.

    Args:
        y_true: Class indices, shape (*batch,) or (*batch, 1).
        y_pred: Shape (*batch, classes).
        from_logits: Whether `y_pred` holds logits instead of probabilities.

    Raises:
        ShapeError: The indices don't have the batch shape of the predictions.
    """
    return categorical_crossentropy(one_hot(y_true, y_pred), y_pred, from_logits=from_logits)


def weighted_mse(y_true: Float64, y_pred: Float64, *, penalty: float = 2.0) -> LossValues:
    """Return the squared error with under-predictions weighted `penalty` times, then the mean.

    ``mean(where(y_true - y_pred > 0, penalty, 1) * (y_true - y_pred)**2)``.

    VARIANT: mean over the last axis only, so that it can be weighted per sample; over equally
    weighted samples the mean of these values is the mean over all elements.
    """
    require_same_shape(y_pred, y_true=y_true)
    error = y_true - y_pred
    weights = np.where(error > 0, penalty, 1.0)
    return LossValues(
        np.mean(weights * error**2, axis=-1), -2.0 * weights * error / error.shape[-1]
    )


def focal_loss(
    y_true: Float64, y_pred: Float64, *, gamma: float = 2.0, alpha: float = 0.25
) -> LossValues:
    """Return ``mean(alpha * y * (1 - p)**gamma * (-y * log(p)))`` and its derivative.

    VARIANT: one-hot targets and probabilities that are clipped but not normalised; only the true
    class contributes; the mean, not the sum, over classes. Keras' `CategoricalFocalCrossentropy`
    sums.

    References:
        Lin et al., "Focal loss for dense object detection", ICCV 2017, equation 5.
    """
    require_same_shape(y_pred, y_true=y_true)
    p, inside = _clipped(y_pred)
    scale = alpha * y_true**2
    rest = 1.0 - p
    values = -scale * rest**gamma * np.log(p)
    slope = gamma * rest ** (gamma - 1.0) * np.log(p) - rest**gamma / p
    return LossValues(np.mean(values, axis=-1), inside * scale * slope / y_pred.shape[-1])


LOSSES: Mapping[str, Callable[..., LossValues]] = MappingProxyType(
    {
        function.__name__: function
        for function in (
            mean_squared_error,
            mean_absolute_error,
            huber,
            binary_crossentropy,
            categorical_crossentropy,
            sparse_categorical_crossentropy,
            weighted_mse,
            focal_loss,
        )
    }
)
"""Every loss by its snake_case name."""


def reduction_factors(
    values: Float64, *, reduction: Reduction, sample_weight: Float64 | None = None
) -> Float64:
    """Return the factor each sample's value has in the reduced loss, shape (*batch,).

    With weights w (ones by default) and N values: ``w / N`` for "sum_over_batch_size" and "mean",
    ``w`` for "sum" and "none", ``w / sum(w)`` for "mean_with_sample_weight". Note that the first
    two divide by the number of samples, not by the sum of their weights. A zero divisor gives 0.

    Raises:
        ArgumentError: The reduction is unknown.
        ShapeError: `sample_weight` does not have the shape of `values`.
    """
    known = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none")
    require_known("reduction", reduction, known)
    weights = np.ones_like(values) if sample_weight is None else sample_weight
    require_same_shape(values, sample_weight=weights)
    if reduction in {"sum", "none"}:
        return weights
    total = float(np.sum(weights)) if reduction == "mean_with_sample_weight" else values.size
    return weights / total if total else np.zeros_like(weights)


def loss_and_gradient(
    kind: str,
    y_true: Float64 | Int64,
    y_pred: Float64,
    *,
    reduction: Reduction = "sum_over_batch_size",
    sample_weight: Float64 | None = None,
    **arguments: float | bool,
) -> LossValues:
    """Return the reduced loss and its derivative by the predictions.

    Args:
        kind: Name of the loss, such as "huber".
        y_true: Targets, shape (*batch, outputs), or class indices for the sparse loss.
        y_pred: Predictions, shape (*batch, outputs).
        reduction: How values per sample become one; "none" keeps them, weighted.
        sample_weight: Weight per sample, shape (*batch,).
        **arguments: Arguments of the loss under Keras' names.

    Returns:
        `values` of shape () (or (*batch,) for "none") and `gradient` of shape (*batch, outputs),
        the derivative of the sum of `values`.

    Raises:
        ArgumentError: Loss or reduction is unknown.
        ShapeError: The arrays don't fit together.
    """
    require_known("loss", kind, tuple(LOSSES))
    single = LOSSES[kind](y_true, y_pred, **arguments)
    factors = reduction_factors(single.values, reduction=reduction, sample_weight=sample_weight)
    weighted = factors * single.values
    reduced = weighted if reduction == "none" else np.asarray(np.sum(weighted))
    return LossValues(reduced, np.expand_dims(factors, -1) * single.gradient)


def sigmoid(values: Float64) -> Float64:
    """Return ``1 / (1 + exp(-x))`` without overflow, same shape."""
    small = np.exp(-np.abs(values))
    return np.where(values >= 0, 1.0, small) / (1.0 + small)


def one_hot(indices: Float64 | Int64, y_pred: Float64) -> Float64:
    """Return one-hot rows of the shape of `y_pred` for class indices.

    Args:
        indices: Class indices, shape (*batch,) or (*batch, 1).
        y_pred: Shape (*batch, classes).

    Raises:
        ShapeError: The indices don't have the batch shape of the predictions.
        ArgumentError: An index is not a class.
    """
    flat = np.asarray(indices)
    if flat.ndim == y_pred.ndim and flat.shape[-1] == 1:
        flat = flat[..., 0]
    require_same_shape(y_pred[..., 0], indices=flat)
    classes = y_pred.shape[-1]
    outside = (flat < 0) | (flat >= classes)
    if outside.any():
        msg = f"indices must lie in [0, {classes}), got {flat[outside][0].item()!r}."
        raise ArgumentError(msg)
    return np.eye(classes)[flat.astype(np.int64)]


def _clipped(probabilities: Float64) -> tuple[Float64, Float64]:
    clipped = np.clip(probabilities, EPSILON, 1.0 - EPSILON)
    return clipped, (clipped == probabilities).astype(np.float64)
