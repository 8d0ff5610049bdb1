"""Targets, predictions and weights drawn by a seed: every family that a loss or metric reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from harness.spec.data import PredictionsSpec

__all__ = ["draw_predictions"]

_EDGE_SHARE = 0.25
_ZERO_WEIGHT_SHARE = 0.25
_EXTREME_LOGIT = 60.0
_NUMBERED = ("integer", "column")


def draw_predictions(
    spec: PredictionsSpec,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None]:
    """Predictions, targets and sample weights, real numbers in float64."""
    rng = np.random.default_rng(spec.seed)
    shape = (spec.examples, *spec.shape)
    targets = _targets(spec, shape, rng)
    predictions = _predictions(spec, shape, rng)
    if spec.grid is not None:
        predictions = _on_grid(predictions, spec.grid)
        targets = _on_grid(targets, spec.grid) if spec.targets in ("real", "positive") else targets
    if spec.edges:
        predictions = _with_edges(spec, predictions, targets, rng)
    weights = _weights(spec, rng)
    if spec.targets not in _NUMBERED:
        targets = np.moveaxis(targets, -1, spec.class_axis)
    if spec.predictions != "integer":
        predictions = np.moveaxis(predictions, -1, spec.class_axis)
    return predictions, targets, weights


def _targets(
    spec: PredictionsSpec, shape: tuple[int, ...], rng: np.random.Generator
) -> NDArray[Any]:
    match spec.targets:
        case "real":
            return rng.standard_normal(shape)
        case "positive":
            return rng.uniform(0.25, 4.0, shape)
        case "binary":
            return rng.integers(0, 2, shape).astype(np.float64)
        case "signs":
            return 2.0 * rng.integers(0, 2, shape) - 1.0
        case "soft":
            return rng.dirichlet(np.ones(shape[-1]), shape[:-1])
        case _:
            numbers = rng.integers(0, shape[-1], shape[:-1])
            if spec.targets == "one_hot":
                return np.eye(shape[-1])[numbers]
            return numbers[..., np.newaxis] if spec.targets == "column" else numbers


def _predictions(
    spec: PredictionsSpec, shape: tuple[int, ...], rng: np.random.Generator
) -> NDArray[Any]:
    match spec.predictions:
        case "real":
            return rng.standard_normal(shape)
        case "positive":
            return rng.uniform(0.25, 4.0, shape)
        case "unit":
            return rng.uniform(0.0, 1.0, shape)
        case "simplex":
            return rng.dirichlet(np.ones(shape[-1]), shape[:-1])
        case "logits" | "sigmoid" | "softmax":
            return _LINKS[spec.predictions](rng.standard_normal(shape))
        case "unit_rows":
            rows = rng.standard_normal(shape)
            return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True))
        case _:
            return rng.integers(0, shape[-1], shape[:-1])


def _softmax(logits: NDArray[Any]) -> NDArray[Any]:
    powers = np.exp(logits)
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


_LINKS: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "logits": lambda logits: logits,
    "sigmoid": lambda logits: 1.0 / (1.0 + np.exp(-logits)),
    "softmax": _softmax,
}


def _on_grid(values: NDArray[Any], grid: float) -> NDArray[Any]:
    return np.asarray(np.round(values / grid) * grid) if values.dtype.kind == "f" else values


def _with_edges(
    spec: PredictionsSpec,
    predictions: NDArray[Any],
    targets: NDArray[Any],
    rng: np.random.Generator,
) -> NDArray[Any]:
    """Some of the predictions where a formula has a corner, a clip or an overflow."""
    chosen = rng.uniform(size=predictions.shape) < _EDGE_SHARE
    ends = rng.integers(0, 2, predictions.shape).astype(np.float64)
    match spec.predictions:
        case "unit":
            return np.where(chosen, ends, predictions)
        case "simplex":
            certain = np.eye(predictions.shape[-1])[rng.integers(0, predictions.shape[-1])]
            return np.where(chosen[..., :1], certain, predictions)
        case "logits":
            return np.where(chosen, _EXTREME_LOGIT * (2.0 * ends - 1.0), predictions)
        case "real" | "positive" if targets.shape == predictions.shape:
            return np.where(chosen, targets, predictions)
        case _:
            return predictions


def _weights(spec: PredictionsSpec, rng: np.random.Generator) -> NDArray[np.float64] | None:
    if spec.weights == "none":
        return None
    inner = {"sample": (), "element": spec.shape[:-1], "output": spec.shape}[spec.weights]
    shape = (spec.examples, *inner)
    # Multiples of a quarter: weighted counts are then exact in every precision.
    weights = rng.integers(1, 13, shape) / 4.0
    if spec.integral_weights:
        weights = np.ceil(weights)
    return np.asarray(np.where(rng.uniform(size=shape) < _ZERO_WEIGHT_SHARE, 0.0, weights))
