"""Specs of data to arrays: a pure function of the spec, NumPy only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

from harness.errors import PipelineError
from harness.pipeline.imports import call_import
from harness.pipeline.predictions import draw_predictions
from harness.spec.data import (
    AnyData,
    BlobsSpec,
    DiabetesSpec,
    DigitsSpec,
    ImportedDataSpec,
    LinearRegressionSpec,
    LogisticRegressionSpec,
    PredictionsSpec,
    SequencesSpec,
    TokensSpec,
    ValidationSpec,
    held_out_of,
)

__all__ = ["Examples", "build_examples", "hold_out"]

Array = NDArray[Any]

_DrawnData = LinearRegressionSpec | LogisticRegressionSpec | BlobsSpec | SequencesSpec | TokensSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """Inputs and targets of all examples.

    Attributes:
        inputs: Shape (examples, *dims).
        targets: Shape (examples, *dims).
        sample_weight: Shape (examples,), or one per element of an example; or None.
        factors: Of the targets, for each output that is trained on them.
        unweighted: Outputs for which the weights do not count, by their index.
    """

    inputs: Array
    targets: Array
    sample_weight: Array | None = None
    factors: tuple[float, ...] = (1.0,)
    unweighted: frozenset[int] = frozenset()

    def __len__(self) -> int:
        """Return the number of examples."""
        return int(self.inputs.shape[0])

    def cut(self, rows: slice | NDArray[np.int64]) -> Examples:
        """Some of the examples, in the order of `rows`."""
        weight = None if self.sample_weight is None else self.sample_weight[rows]
        return replace(
            self, inputs=self.inputs[rows], targets=self.targets[rows], sample_weight=weight
        )

    def cast(self, dtype: str) -> Examples:
        """The same with every real array in `dtype`; integers stay what they are."""
        weight = self.sample_weight
        return replace(
            self,
            inputs=_cast(self.inputs, dtype),
            targets=_cast(self.targets, dtype),
            sample_weight=None if weight is None else _cast(weight, dtype),
        )

    @property
    def heads(self) -> int:
        """Outputs that are trained on the targets."""
        return len(self.factors)

    def arrays(self) -> tuple[Any, ...]:
        """Inputs, targets (one per head) and, where there are any, sample weights.

        One array of weights is for every head; where some do without, each has an array of its own.
        """
        targets: Any = tuple(
            self.targets if factor == 1.0 else self.targets * np.asarray(factor, self.targets.dtype)
            for factor in self.factors
        )
        targets = targets[0] if self.heads == 1 else targets
        if self.sample_weight is None:
            return (self.inputs, targets)
        if not self.unweighted:
            return (self.inputs, targets, self.sample_weight)
        ones = np.ones_like(self.sample_weight)
        weights = (
            ones if head in self.unweighted else self.sample_weight for head in range(self.heads)
        )
        return (self.inputs, targets, tuple(weights))


def build_examples(spec: AnyData) -> Examples:
    """All examples that a data spec describes, real numbers in float64.

    Raises:
        PipelineError: A data set is missing, empty, not finite, or not what was asked for.
    """
    return _weighted(_unweighted(spec), spec)


def _unweighted(spec: AnyData) -> Examples:
    match spec:
        case DigitsSpec():
            inputs, labels = _bundled("digits")
            targets = np.eye(10)[labels] if spec.one_hot else labels
            return Examples(inputs=inputs / 16.0, targets=targets).cut(slice(spec.examples))
        case DiabetesSpec():
            inputs, targets = _bundled("diabetes")
            scaled = (targets - targets.mean()) / targets.std()
            return Examples(inputs=inputs, targets=scaled[:, None]).cut(slice(spec.examples))
        case ImportedDataSpec():
            return _imported(spec)
        case PredictionsSpec():
            inputs, targets, weight = draw_predictions(spec)
            return Examples(inputs=inputs, targets=targets, sample_weight=weight)
        case _:
            return _drawn(spec, np.random.default_rng(spec.seed))


def _drawn(spec: _DrawnData, rng: np.random.Generator) -> Examples:
    match spec:
        case LinearRegressionSpec():
            return _linear_regression(spec, rng)
        case LogisticRegressionSpec():
            inputs = rng.standard_normal((spec.examples, spec.features))
            score = inputs @ rng.standard_normal((spec.features, 1))
            score += spec.noise_std * rng.standard_normal(score.shape)
            return Examples(inputs=inputs, targets=(score > 0).astype(np.float64))
        case BlobsSpec():
            centres = rng.standard_normal((spec.classes, spec.features))
            labels = rng.integers(0, spec.classes, spec.examples)
            noise = spec.spread * rng.standard_normal((spec.examples, spec.features))
            targets = np.eye(spec.classes)[labels] if spec.one_hot else labels
            return Examples(inputs=centres[labels] + noise, targets=targets)
        case SequencesSpec():
            shape = (spec.examples, spec.timesteps, spec.features)
            inputs = spec.scale * rng.standard_normal(shape)
            return Examples(inputs=inputs, targets=inputs.mean(axis=(1, 2))[:, None])
        case TokensSpec():
            return _tokens(spec, rng)
        case _:
            assert_never(spec)


def _tokens(spec: TokensSpec, rng: np.random.Generator) -> Examples:
    first = 0 if spec.shortest is None else 1
    tokens = rng.integers(first, spec.vocabulary, (spec.examples, spec.length))
    if spec.shortest is not None:
        lengths = rng.integers(spec.shortest, spec.length + 1, (spec.examples, 1))
        tokens[np.arange(spec.length) >= lengths] = 0
    tokens = np.pad(tokens, ((0, 0), (0, spec.padding)))
    if spec.per_token:
        return Examples(inputs=tokens, targets=(tokens % 2.0)[..., np.newaxis])
    present = (tokens == first).any(axis=1, keepdims=True)
    return Examples(inputs=tokens, targets=present.astype(np.float64))


def hold_out(examples: Examples, spec: ValidationSpec | None) -> tuple[Examples, Examples | None]:
    """Training and validation part: the last share of the examples is held out.

    Raises:
        PipelineError: One of the parts would be empty.
    """
    if spec is None:
        return examples, None
    held_out = held_out_of(len(examples), spec)
    kept = len(examples) - held_out
    if not held_out or not kept:
        message = (
            f"validation.split must leave examples on both sides, got {spec.split} of "
            f"{len(examples)} examples. Use more examples or another split."
        )
        raise PipelineError(message)
    return examples.cut(slice(0, kept)), examples.cut(slice(kept, None))


def _weighted(examples: Examples, spec: AnyData) -> Examples:
    """The same with a weight for each example, drawn apart so that inputs stay what they are.

    Raises:
        PipelineError: The examples have weights already.
    """
    if not spec.weighted:
        return examples
    if examples.sample_weight is not None:
        message = "data.weighted must be false where the data have weights of their own, got true."
        raise PipelineError(message)
    rng = np.random.default_rng((spec.seed, 1))
    if isinstance(spec, TokensSpec) and spec.per_token:
        weights = rng.integers(0, 9, (len(examples), spec.length)) / 4.0
        # Nobody may read those of the padding.
        padded = np.pad(weights, ((0, 0), (0, spec.padding)), constant_values=2.0)
        return replace(examples, sample_weight=padded)
    return replace(examples, sample_weight=rng.integers(0, 9, len(examples)) / 4.0)


def _linear_regression(spec: LinearRegressionSpec, rng: np.random.Generator) -> Examples:
    inputs = rng.standard_normal((spec.examples, spec.features))
    targets = inputs @ rng.standard_normal((spec.features, spec.targets))
    targets += spec.noise_std * rng.standard_normal(targets.shape)
    targets[-1] += spec.outlier
    return Examples(inputs=inputs, targets=targets)


def _bundled(name: str) -> tuple[Array, Array]:
    """A data set that scikit-learn ships, in a fixed random order."""
    try:
        from sklearn import datasets  # noqa: PLC0415 - half a second, and an optional extra
    except ImportError as error:
        message = (
            f"data kind {name!r} must find scikit-learn, got {error}. "
            'Install it with `pip install "pytest-training-harness[datasets]"`.'
        )
        raise PipelineError(message) from error
    inputs, targets = getattr(datasets, f"load_{name}")(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(inputs))
    return inputs[order], targets[order]


def _imported(spec: ImportedDataSpec) -> Examples:
    parts = call_import(spec, (tuple, list), "(x, y) or (x, y, sample_weight)")
    if len(parts) not in (2, 3):
        message = (
            f"{spec.import_} must return (x, y) or (x, y, sample_weight), got {len(parts)} parts."
        )
        raise PipelineError(message)
    arrays: list[Array] = []
    for name, part in zip(("x", "y", "sample_weight"), parts, strict=False):
        array = _as_array(spec.import_, name, part)
        arrays.append(array)
        _check_array(spec.import_, name, array, rows=arrays[0].shape[0] if arrays[0].ndim else 0)
    return Examples(
        inputs=arrays[0],
        targets=arrays[1],
        sample_weight=arrays[2] if len(arrays) == 3 else None,  # noqa: PLR2004 - x, y, weight
    )


def _as_array(source: str, name: str, part: Any) -> Array:
    try:
        array: Array = np.asarray(part)
    except (TypeError, ValueError) as error:
        message = f"{name} of {source} must be an array, got {type(part).__name__}: {error}."
        raise PipelineError(message) from error
    return array


def _check_array(source: str, name: str, array: Array, *, rows: int) -> None:
    if array.dtype.kind not in "fiub":
        message = f"{name} of {source} must be numbers, got dtype {array.dtype}."
        raise PipelineError(message)
    if array.ndim == 0 or array.shape[0] == 0:
        message = f"{name} of {source} must hold at least one example, got shape {array.shape}."
        raise PipelineError(message)
    if array.shape[0] != rows:
        message = f"{name} of {source} must have {rows} rows as x has, got {array.shape[0]}."
        raise PipelineError(message)
    bad = np.flatnonzero(~np.isfinite(array.reshape(rows, -1)).all(axis=1))
    if bad.size:
        message = (
            f"{name} of {source} must be finite, got NaN or infinity in {bad.size} of {rows} "
            f"examples, first in example {bad[0]}. Clean the data before training on it."
        )
        raise PipelineError(message)


def _cast(array: Array, dtype: str) -> Array:
    return array.astype(dtype) if array.dtype.kind == "f" else array
