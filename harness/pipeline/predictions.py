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
_VOID_SHARE = 0.25
_BFLOAT16_BITS = 8
_EXTREME_LOGIT = 60.0
_NUMBERED = ("integer", "column", "transcript")


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
    if spec.agreement is not None:
        predictions = _agreeing(spec, spec.agreement, predictions, targets, rng)
    if spec.void_label is not None:
        predictions, targets = _with_void(spec, spec.void_label, predictions, targets, rng)
    if spec.dtype is not None:
        predictions = _rounded(predictions, spec.dtype)
    if spec.targets not in _NUMBERED:
        targets = np.moveaxis(targets, -1, spec.class_axis)
    if spec.predictions != "integer":
        predictions = np.moveaxis(predictions, -1, spec.class_axis)
    return predictions, targets, weights


def _targets(  # noqa: PLR0911 - one per family
    spec: PredictionsSpec, shape: tuple[int, ...], rng: np.random.Generator
) -> NDArray[Any]:
    match spec.targets:
        case "real":
            return spec.scale * rng.standard_normal(shape)
        case "positive":
            return spec.scale * rng.uniform(0.25, 4.0, shape)
        case "binary":
            return rng.integers(0, 2, shape).astype(np.float64)
        case "signs":
            return 2.0 * rng.integers(0, 2, shape) - 1.0
        case "soft":
            return rng.dirichlet(np.ones(shape[-1]), shape[:-1])
        case "transcript":
            return _transcripts(shape, rng)
        case _:
            numbers = rng.integers(0, shape[-1], shape[:-1])
            if spec.targets == "one_hot":
                return np.eye(shape[-1])[numbers]
            return numbers[..., np.newaxis] if spec.targets == "column" else numbers


def _transcripts(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.int64]:
    """So short that each has an alignment, even where all its labels are the same."""
    examples, steps, classes = shape
    most = (steps + 1) // 2
    numbers = rng.integers(1, classes, (examples, most))
    lengths = rng.integers(0, most + 1, (examples, 1))
    return np.where(np.arange(most) < lengths, numbers, 0)


def _predictions(  # noqa: PLR0911 - one per family
    spec: PredictionsSpec, shape: tuple[int, ...], rng: np.random.Generator
) -> NDArray[Any]:
    match spec.predictions:
        case "real":
            return spec.scale * rng.standard_normal(shape)
        case "positive":
            return spec.scale * rng.uniform(0.25, 4.0, shape)
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


def _agreeing(
    spec: PredictionsSpec,
    share: float,
    predictions: NDArray[Any],
    targets: NDArray[Any],
    rng: np.random.Generator,
) -> NDArray[Any]:
    """The same with the likeliest class at the true one or at the next, in so many places."""
    true = targets if spec.targets in _NUMBERED else np.argmax(targets, axis=-1)
    true = true[..., 0] if spec.targets == "column" else true
    missed = rng.uniform(size=true.shape) >= share
    chosen = (true + missed) % spec.shape[-1]
    if spec.predictions == "integer":
        return chosen
    place, largest = chosen[..., np.newaxis], np.argmax(predictions, axis=-1)[..., np.newaxis]
    changed = predictions.copy()
    for to, source in ((place, largest), (largest, place)):
        np.put_along_axis(changed, to, np.take_along_axis(predictions, source, -1), -1)
    return changed


def _with_void(
    spec: PredictionsSpec,
    label: int,
    predictions: NDArray[Any],
    targets: NDArray[Any],
    rng: np.random.Generator,
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Both with some labels for what is no class, and nothing predicted there if so asked."""
    void = rng.uniform(size=targets.shape) < _VOID_SHARE
    if spec.nan_at_void:
        rows = void if spec.targets == "column" else void[..., np.newaxis]
        predictions = np.where(rows, np.nan, predictions)
    return predictions, np.where(void, label, targets)


def _rounded(values: NDArray[Any], dtype: str) -> NDArray[np.float64]:
    """The nearest numbers of a dtype; NumPy itself has no bfloat16, which is float32 cut short."""
    if dtype == "float16":
        return values.astype(np.float16).astype(np.float64)
    share, power = np.frexp(values)
    whole = 2.0**_BFLOAT16_BITS
    return np.asarray(np.ldexp(np.round(share * whole) / whole, power))


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
