"""Value of every Keras loss per sample, for arrays of any rank and classes on any axis.

Each function takes `y_true` and `y_pred` under Keras' argument names and returns the values before
any reduction; what `oracles.losses` also differentiates by hand is written here a second time, in
another form, so that the two check each other.

VARIANT: probabilities are clipped to ``[EPSILON, 1 - EPSILON]`` after normalisation.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from harness.oracles.arrays import Float64, Int64, require_known
from harness.oracles.losses import EPSILON, Reduction, reduction_factors, sigmoid
from harness.oracles.losses_ctc import transcript_losses

__all__ = ["COUPLED", "LOSS_VALUES", "Unreduced", "loss_total", "unreduced", "with_class_axis"]


class Unreduced(NamedTuple):
    """A loss before reduction.

    Attributes:
        values: One value per sample, of the shape that the loss leaves.
        counted: 1 where a value counts, 0 where it is left out; None counts all.
    """

    values: Float64
    counted: Float64 | None = None


Axes = Sequence[int] | None


def with_class_axis(
    y_true: Float64 | Int64, y_pred: Float64, axis: int = -1
) -> tuple[Float64, Float64]:
    """Return one-hot targets for class numbers, and both arrays with the classes last.

    Args:
        y_true: Class numbers without the axis of the classes, or with one entry there.
        y_pred: Shape (*batch, classes), or with the classes on `axis`.
        axis: Where the classes are.
    """
    moved = np.moveaxis(y_pred, axis, -1)
    numbers = np.asarray(y_true)
    if numbers.ndim == moved.ndim:
        numbers = np.moveaxis(numbers, axis, -1)[..., 0]
    hot = np.arange(moved.shape[-1]) == numbers[..., np.newaxis]
    return hot.astype(np.float64), moved


def _mean_of(function: Callable[[Float64, Float64], Float64]) -> Callable[..., Unreduced]:
    def values(y_true: Float64, y_pred: Float64) -> Unreduced:
        return Unreduced(np.mean(function(y_true, y_pred), axis=-1))

    return values


def _percentage(y_true: Float64, y_pred: Float64) -> Float64:
    return 100.0 * np.abs(y_true - y_pred) / np.maximum(np.abs(y_true), EPSILON)


def _squared_logarithmic(y_true: Float64, y_pred: Float64) -> Float64:
    difference = np.log1p(np.maximum(y_pred, EPSILON)) - np.log1p(np.maximum(y_true, EPSILON))
    return np.asarray(difference**2)


def _log_cosh(y_true: Float64, y_pred: Float64) -> Float64:
    size = np.abs(y_pred - y_true)
    return np.asarray(size + np.log1p(np.exp(-2.0 * size)) - np.log(2.0))


def _poisson(y_true: Float64, y_pred: Float64) -> Float64:
    return y_pred - y_true * np.log(y_pred + EPSILON)


def _margin(y_true: Float64, y_pred: Float64) -> Float64:
    signs = 2.0 * y_true - 1.0 if np.isin(y_true, (0.0, 1.0)).all() else y_true
    return np.maximum(1.0 - signs * y_pred, 0.0)


def huber(y_true: Float64, y_pred: Float64, *, delta: float = 1.0) -> Unreduced:
    """Return the mean of ``size**2 / 2 - max(size - delta, 0)**2 / 2``, the Huber function."""
    size = np.abs(y_pred - y_true)
    return Unreduced(np.mean(0.5 * size**2 - 0.5 * np.maximum(size - delta, 0.0) ** 2, axis=-1))


def categorical_hinge(y_true: Float64, y_pred: Float64) -> Unreduced:
    """Return ``max(0, 1 + largest wrong score - true score)``; true classes compete with 0."""
    wrong = np.max((1.0 - y_true) * y_pred, axis=-1)
    return Unreduced(np.maximum(wrong - np.sum(y_true * y_pred, axis=-1) + 1.0, 0.0))


def kl_divergence(y_true: Float64, y_pred: Float64) -> Unreduced:
    """Return ``sum(t * log(t / p))``, both clipped to ``[EPSILON, 1]``."""
    target, share = np.clip(y_true, EPSILON, 1.0), np.clip(y_pred, EPSILON, 1.0)
    return Unreduced(np.sum(target * (np.log(target) - np.log(share)), axis=-1))


def cosine_similarity(y_true: Float64, y_pred: Float64, *, axis: int = -1) -> Unreduced:
    """Return minus the cosine between the vectors along `axis`; 0 where one is no direction."""
    lengths = np.sqrt(np.sum(y_true**2, axis=axis) * np.sum(y_pred**2, axis=axis))
    product = np.sum(y_true * y_pred, axis=axis)
    return Unreduced(-np.divide(product, lengths, out=np.zeros_like(product), where=lengths > 0))


def _binary_entropy(target: Float64, share: Float64) -> Float64:
    clipped = np.clip(share, EPSILON, 1.0 - EPSILON)
    return -(target * np.log(clipped) + (1.0 - target) * np.log1p(-clipped))


def binary_crossentropy(
    y_true: Float64,
    y_pred: Float64,
    *,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Unreduced:
    """Return the mean along `axis` of the entropy of each label; logits are not clipped."""
    target = y_true + label_smoothing * (0.5 - y_true)
    if from_logits:
        values = np.logaddexp(0.0, y_pred) - target * y_pred
    else:
        values = _binary_entropy(target, y_pred)
    return Unreduced(np.mean(values, axis=axis))


def binary_focal_crossentropy(
    y_true: Float64,
    y_pred: Float64,
    *,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Unreduced:
    """Return the entropy of each label times ``(1 - p_t)**gamma``; Lin et al. 2017, equation 5.

    VARIANT: the entropy of logits is not clipped, as in `binary_crossentropy`.
    """
    target = y_true + label_smoothing * (0.5 - y_true)
    share = sigmoid(y_pred) if from_logits else y_pred
    likely = target * share + (1.0 - target) * (1.0 - share)
    if from_logits:
        entropy = np.logaddexp(0.0, y_pred) - target * y_pred
    else:
        entropy = _binary_entropy(target, share)
    values = entropy * (1.0 - likely) ** gamma
    if apply_class_balancing:
        values = values * (target * alpha + (1.0 - target) * (1.0 - alpha))
    return Unreduced(np.mean(values, axis=axis))


def _log_shares(y_pred: Float64, *, from_logits: bool, clip: bool) -> Float64:
    """Return logarithms of the probabilities of the classes on the last axis."""
    if from_logits:
        shifted = y_pred - np.max(y_pred, axis=-1, keepdims=True)
        logs = shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))
        return np.asarray(np.clip(logs, np.log(EPSILON), np.log1p(-EPSILON)) if clip else logs)
    shares = y_pred / np.sum(y_pred, axis=-1, keepdims=True)
    return np.asarray(np.log(np.clip(shares, EPSILON, 1.0 - EPSILON)))


def categorical_crossentropy(
    y_true: Float64,
    y_pred: Float64,
    *,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Unreduced:
    """Return ``-sum(t * log(p))`` over the classes; smoothing mixes in the even distribution."""
    target, scores = np.moveaxis(y_true, axis, -1), np.moveaxis(y_pred, axis, -1)
    target = target + label_smoothing * (1.0 / target.shape[-1] - target)
    return Unreduced(
        -np.sum(target * _log_shares(scores, from_logits=from_logits, clip=False), axis=-1)
    )


def categorical_focal_crossentropy(
    y_true: Float64,
    y_pred: Float64,
    *,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Unreduced:
    """Return ``-sum(alpha * (1 - p)**gamma * t * log(p))``; Lin et al. 2017, equation 5.

    VARIANT: logits go through a softmax first and are clipped like probabilities.
    """
    target, scores = np.moveaxis(y_true, axis, -1), np.moveaxis(y_pred, axis, -1)
    target = target + label_smoothing * (1.0 / target.shape[-1] - target)
    logs = _log_shares(scores, from_logits=from_logits, clip=True)
    return Unreduced(-np.sum(alpha * (-np.expm1(logs)) ** gamma * target * logs, axis=-1))


def sparse_categorical_crossentropy(
    y_true: Float64 | Int64,
    y_pred: Float64,
    *,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Unreduced:
    """Return the categorical one of the one-hot targets; those of `ignore_class` don't count."""
    hot, scores = with_class_axis(y_true, y_pred, axis)
    values = categorical_crossentropy(hot, scores, from_logits=from_logits).values
    if ignore_class is None:
        return Unreduced(values)
    numbers = np.asarray(y_true)
    if numbers.ndim == y_pred.ndim:
        numbers = np.moveaxis(numbers, axis, -1)[..., 0]
    counted = (numbers != ignore_class).astype(np.float64)
    # What is predicted where nothing counts may be anything, NaN too.
    return Unreduced(np.where(counted, values, 0.0), counted)


def categorical_generalized_cross_entropy(
    y_true: Float64 | Int64, y_pred: Float64, *, q: float = 0.5
) -> Unreduced:
    """Return ``(1 - p**q) / q`` of the true class; Zhang and Sabuncu 2018, equation 6."""
    hot, shares = with_class_axis(y_true, y_pred)
    return Unreduced((1.0 - np.sum(hot * shares, axis=-1) ** q) / q)


def dice(y_true: Float64, y_pred: Float64, *, axis: Axes = None) -> Unreduced:
    """Return ``1 - 2 * overlap / (sum of both sizes)`` over `axis`."""
    axes = None if axis is None else tuple(axis)
    overlap = np.sum(y_true * y_pred, axis=axes)
    sizes = np.sum(y_true, axis=axes) + np.sum(y_pred, axis=axes)
    return Unreduced(np.asarray(1.0 - 2.0 * overlap / (sizes + EPSILON)))


def tversky(
    y_true: Float64, y_pred: Float64, *, alpha: float = 0.5, beta: float = 0.5, axis: Axes = None
) -> Unreduced:
    """Return ``1 - TP / (TP + alpha * FP + beta * FN)``; Salehi et al. 2017, equation 3."""
    axes = None if axis is None else tuple(axis)
    hits = np.sum(y_true * y_pred, axis=axes)
    false_positives = np.sum((1.0 - y_true) * y_pred, axis=axes)
    false_negatives = np.sum(y_true * (1.0 - y_pred), axis=axes)
    whole = hits + alpha * false_positives + beta * false_negatives
    return Unreduced(np.asarray(1.0 - hits / (whole + EPSILON)))


def circle(
    y_true: Float64 | Int64,
    y_pred: Float64,
    *,
    gamma: float = 80.0,
    margin: float = 0.4,
    remove_diagonal: bool = True,
) -> Unreduced:
    """Return the circle loss of each row of `y_pred` against all rows; Sun et al. 2020, eq. 6.

    VARIANT: similarities above 1 count as 1; a row without a partner of its own class, or of
    another, has no loss and does not count.
    """
    similarity = np.minimum(y_pred @ y_pred.T, 1.0)
    labels = np.ravel(y_true)
    same = labels[:, np.newaxis] == labels
    partner = same & ~np.eye(len(labels), dtype=bool) if remove_diagonal else same
    near = -gamma * np.maximum(1.0 + margin - similarity, 0.0) * (similarity - 1.0 + margin)
    far = gamma * np.maximum(similarity + margin, 0.0) * (similarity - margin)
    with np.errstate(divide="ignore"):
        near_sum = np.logaddexp.reduce(np.where(partner, near, -np.inf), axis=1)
        far_sum = np.logaddexp.reduce(np.where(same, -np.inf, far), axis=1)
        values = np.logaddexp(0.0, near_sum + far_sum)
    return Unreduced(values, (values > 0).astype(np.float64))


LOSS_VALUES: Mapping[str, Callable[..., Unreduced]] = MappingProxyType(
    {
        "mean_squared_error": _mean_of(lambda y_true, y_pred: np.square(y_true - y_pred)),
        "mean_absolute_error": _mean_of(lambda y_true, y_pred: np.abs(y_true - y_pred)),
        "mean_absolute_percentage_error": _mean_of(_percentage),
        "mean_squared_logarithmic_error": _mean_of(_squared_logarithmic),
        "log_cosh": _mean_of(_log_cosh),
        "poisson": _mean_of(_poisson),
        "hinge": _mean_of(_margin),
        "ctc": lambda y_true, y_pred: Unreduced(transcript_losses(y_true, y_pred)),
        "squared_hinge": _mean_of(lambda y_true, y_pred: np.square(_margin(y_true, y_pred))),
    }
    | {
        function.__name__: function
        for function in (
            huber,
            categorical_hinge,
            kl_divergence,
            cosine_similarity,
            binary_crossentropy,
            binary_focal_crossentropy,
            categorical_crossentropy,
            categorical_focal_crossentropy,
            sparse_categorical_crossentropy,
            categorical_generalized_cross_entropy,
            dice,
            tversky,
            circle,
        )
    }
)
"""Every Keras loss by its name in scenario files."""

COUPLED = frozenset({"circle", "dice", "tversky"})
"""Losses in which the value of one sample may depend on the predictions for another."""


def unreduced(
    kind: str, y_true: Float64 | Int64, y_pred: Float64, arguments: Mapping[str, object]
) -> Unreduced:
    """Return the values of one loss before reduction.

    Raises:
        ArgumentError: No loss has that name.
    """
    require_known("loss", kind, tuple(LOSS_VALUES))
    return LOSS_VALUES[kind](y_true, y_pred, **arguments)


def loss_total(
    found: Unreduced, *, reduction: Reduction, sample_weight: Float64 | None = None
) -> tuple[Float64, Float64]:
    """Return values and the factor of each in the reduced loss, both of the values' shape.

    The loss is the sum of the products. A weight per sample is that of all its values. Where values
    are left out, the mean is that of the others. A loss that is one number is not reduced.
    """
    values = found.values
    if values.ndim == 0:
        return values, np.ones_like(values)
    weights = np.ones_like(values)
    if sample_weight is not None:
        tail = (1,) * (values.ndim - sample_weight.ndim)
        weights = np.broadcast_to(sample_weight.reshape(sample_weight.shape + tail), values.shape)
    if found.counted is None:
        return values, reduction_factors(values, reduction=reduction, sample_weight=weights)
    weights = weights * found.counted
    factors = reduction_factors(values, reduction=reduction, sample_weight=weights)
    if reduction in {"sum_over_batch_size", "mean"}:
        left = float(np.sum(found.counted))
        factors = factors * (values.size / left if left else 0.0)
    return values, factors
