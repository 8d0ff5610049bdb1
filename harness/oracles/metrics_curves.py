"""Metrics that count decisions at one threshold or at many: rates, operating points, areas."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

import numpy as np

from harness.oracles.arrays import Float64
from harness.oracles.losses import EPSILON, sigmoid

__all__ = ["CURVES", "Counts", "counts_at", "even_thresholds"]

Weights: TypeAlias = Float64 | None


class Counts(NamedTuple):
    """Weighted counts of decisions, one per threshold, shape (thresholds, *labels)."""

    true_positives: Float64
    false_positives: Float64
    true_negatives: Float64
    false_negatives: Float64


def counts_at(
    y_true: Float64,
    y_pred: Float64,
    weights: Weights,
    thresholds: Sequence[float],
    *,
    by_label: bool = False,
) -> Counts:
    """Return the counts at each threshold; a prediction above it is positive.

    Args:
        y_true: Truth, 0 or 1.
        y_pred: Scores, same shape.
        weights: Of samples or of their parts.
        thresholds: Where decisions are taken.
        by_label: Count the columns apart.
    """
    weight = np.ones(y_true.shape)
    if weights is not None:
        weight = weight * weights.reshape(weights.shape + (1,) * (y_true.ndim - weights.ndim))
    truth = y_true > 0
    axes = 0 if by_label else None
    rows = []
    for threshold in thresholds:
        decided = y_pred > threshold
        cells = (decided & truth, decided & ~truth, ~decided & ~truth, ~decided & truth)
        rows.append([np.sum(weight * cell, axis=axes) for cell in cells])
    return Counts(*(np.array([row[index] for row in rows]) for index in range(4)))


def even_thresholds(number: int) -> list[float]:
    """Return `number` thresholds from 0 to 1, both included; a single one is 0.5."""
    return [0.5] if number == 1 else [index / (number - 1) for index in range(number)]


def _ratio(part: Float64, rest: Float64) -> Float64:
    whole = part + rest
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _top(y_pred: Float64, number: int) -> Float64:
    """Return the predictions, all but the `number` largest of each row at minus infinity.

    Among equal ones those that come first are the largest.
    """
    order = np.argsort(-y_pred, axis=-1, kind="stable")
    ranks = np.argsort(order, axis=-1, kind="stable")
    return np.where(ranks < number, y_pred, -np.inf)


def _listed(thresholds: float | Sequence[float] | None, default: float) -> list[float]:
    if thresholds is None:
        return [default]
    return [thresholds] if isinstance(thresholds, int | float) else list(thresholds)


def _one_or_all(values: Float64) -> float | Float64:
    return float(values[0]) if len(values) == 1 else values


def _rate(other: str) -> Callable[..., float | Float64]:
    def value(
        y_true: Float64,
        y_pred: Float64,
        weights: Weights,
        *,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
    ) -> float | Float64:
        scores = y_pred if top_k is None else _top(y_pred, top_k)
        if class_id is not None:
            y_true, scores = y_true[..., class_id, None], scores[..., class_id, None]
        # With top_k alone whatever is among them is positive.
        cuts = _listed(thresholds, 0.5 if top_k is None else -1e10)
        counts = counts_at(y_true, scores, weights, cuts)
        return _one_or_all(_ratio(counts.true_positives, getattr(counts, other)))

    return value


def _count(cell: str) -> Callable[..., float | Float64]:
    def value(
        y_true: Float64,
        y_pred: Float64,
        weights: Weights,
        *,
        thresholds: float | Sequence[float] | None = None,
    ) -> float | Float64:
        counts = counts_at(y_true, y_pred, weights, _listed(thresholds, 0.5))
        return _one_or_all(np.asarray(getattr(counts, cell)))

    return value


def _rates(counts: Counts) -> dict[str, Float64]:
    return {
        "sensitivity": _ratio(counts.true_positives, counts.false_negatives),
        "recall": _ratio(counts.true_positives, counts.false_negatives),
        "specificity": _ratio(counts.true_negatives, counts.false_positives),
        "precision": _ratio(counts.true_positives, counts.false_positives),
    }


def _operating_point(best: str, held: str) -> Callable[..., float]:
    def value(
        y_true: Float64,
        y_pred: Float64,
        weights: Weights,
        *,
        at: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
    ) -> float:
        if class_id is not None:
            y_true, y_pred = y_true[..., class_id, None], y_pred[..., class_id, None]
        rates = _rates(counts_at(y_true, y_pred, weights, even_thresholds(num_thresholds)))
        return float(np.max(rates[best][rates[held] >= at], initial=0.0))

    return value


def auc(
    y_true: Float64,
    y_pred: Float64,
    weights: Weights,
    *,
    num_thresholds: int = 200,
    curve: str = "ROC",
    summation_method: str = "interpolation",
    thresholds: Sequence[float] | None = None,
    multi_label: bool = False,
    label_weights: Sequence[float] | None = None,
    from_logits: bool = False,
) -> float:
    """Return the area under a curve that is known at some thresholds.

    Below the first threshold everything is positive, above the last nothing. With `multi_label`
    the areas of the labels are averaged; otherwise `label_weights` weigh their decisions.
    """
    scores = sigmoid(y_pred) if from_logits else y_pred
    inner = even_thresholds(num_thresholds)[1:-1] if thresholds is None else sorted(thresholds)
    shares = None if label_weights is None else np.asarray(label_weights, dtype=np.float64)
    if shares is not None and not multi_label:
        weight = np.ones(len(y_true)) if weights is None else weights
        weights = weight.reshape(weight.shape + (1,) * (y_true.ndim - weight.ndim)) * shares
    counts = counts_at(
        y_true, scores, weights, [-EPSILON, *inner, 1.0 + EPSILON], by_label=multi_label
    )
    area = _area(counts, curve=curve, method=summation_method)
    if not multi_label:
        return float(area)
    if shares is None:
        return float(np.mean(area))
    whole = float(np.sum(shares))
    return float(np.sum(area * shares)) / whole if whole else 0.0


def _area(counts: Counts, *, curve: str, method: str) -> Float64:
    """Return the area by label; along the thresholds both curves run from right to left."""
    rates = _rates(counts)
    if curve == "PR" and method == "interpolation":
        return _precision_recall_area(counts)
    if curve == "PR":
        along, height = rates["recall"], rates["precision"]
    else:
        along, height = 1.0 - rates["specificity"], rates["recall"]
        # Without a negative there is no rate of false alarms.
        along = np.where(counts.false_positives + counts.true_negatives > 0, along, 0.0)
    left, right = height[1:], height[:-1]
    heights = {
        "interpolation": (left + right) / 2.0,
        "majoring": np.maximum(left, right),
        "minoring": np.minimum(left, right),
    }[method]
    return np.asarray(np.sum((along[:-1] - along[1:]) * heights, axis=0))


def _precision_recall_area(counts: Counts) -> Float64:
    """Return the area with counts that run linearly between thresholds; Davis and Goadrich 2006.

    From A to B, with P the positive decisions: the integral over P of
    ``slope * (TP_A + slope * (P - P_A)) / P``, over all positives. Where P begins at 0 the
    precision is constant.
    """
    hits = counts.true_positives
    positives = hits + counts.false_positives
    gained, taken = hits[:-1] - hits[1:], positives[:-1] - positives[1:]
    slope = np.divide(gained, taken, out=np.zeros_like(gained), where=taken > 0)
    rest = hits[1:] - slope * positives[1:]
    both = (positives[:-1] > 0) & (positives[1:] > 0)
    ratio = np.divide(positives[:-1], positives[1:], out=np.ones_like(rest), where=both)
    grown = slope * (gained + rest * np.log(ratio))
    actual = hits[1:] + counts.false_negatives[1:]
    parts = np.divide(grown, actual, out=np.zeros_like(grown), where=actual > 0)
    return np.asarray(np.sum(parts, axis=0))


CURVES: Mapping[str, Callable[..., float | Float64]] = MappingProxyType(
    {
        "precision": _rate("false_positives"),
        "recall": _rate("false_negatives"),
        "auc": auc,
    }
    | {cell: _count(cell) for cell in Counts._fields}
    | {
        f"{best}_at_{held}": _operating_point(best, held)
        for best, held in (
            ("sensitivity", "specificity"),
            ("specificity", "sensitivity"),
            ("precision", "recall"),
            ("recall", "precision"),
        )
    }
)
"""Metrics of binary decisions by their names in scenario files."""
