"""Batch normalisation: what it remembers of the batches it has seen, and what it makes of them."""

from typing import NamedTuple

import numpy as np

from harness.oracles.arrays import Float64
from harness.oracles.dense import DenseLayer

__all__ = [
    "MOMENTUM",
    "BatchNorm",
    "folded",
    "moved",
    "normalized_batch",
    "normalized_groups",
    "predicted_batch",
    "unit_vectors",
]

MOMENTUM = 0.99
"""Share of the old statistics that a batch leaves, Keras' default."""

EPSILON = 1e-3
"""What is added to each variance, Keras' default."""


class BatchNorm(NamedTuple):
    """One batch normalisation, all of shape (width,).

    Attributes:
        gamma: Factor of what was normalised.
        beta: What is added to it.
        mean: Moving average of the batches' means.
        variance: Moving average of their variances.
    """

    gamma: Float64
    beta: Float64
    mean: Float64
    variance: Float64


def normalized_batch(layer: BatchNorm, x: Float64, epsilon: float = EPSILON) -> Float64:
    """Return what training makes of a batch: mean `beta` and deviation `gamma`, but for epsilon.

    Args:
        layer: The layer.
        x: Shape (batch, width).
        epsilon: What is added to each variance.
    """
    spread = np.sqrt(np.var(x, axis=0) + epsilon)
    result: Float64 = layer.gamma * (x - np.mean(x, axis=0)) / spread + layer.beta
    return result


def predicted_batch(layer: BatchNorm, x: Float64, epsilon: float = EPSILON) -> Float64:
    """Return what a prediction makes of a batch: that of the moving statistics.

    Args:
        layer: The layer.
        x: Shape (batch, width).
        epsilon: What is added to each variance.
    """
    spread = np.sqrt(layer.variance + epsilon)
    result: Float64 = layer.gamma * (x - layer.mean) / spread + layer.beta
    return result


def normalized_groups(x: Float64, groups: int, epsilon: float = EPSILON) -> Float64:
    """Return vectors whose groups of neighbours have mean 0 and variance 1, but for epsilon.

    One group is layer normalisation.

    Args:
        x: Shape (batch, width).
        groups: Number of groups, a divisor of the width.
        epsilon: What is added to each variance.

    References:
        Ba, Kiros and Hinton, "Layer normalization", arXiv:1607.06450 (2016); Wu and He, "Group
        normalization", ECCV (2018).
    """
    parts = x.reshape(len(x), groups, -1)
    centred = parts - np.mean(parts, axis=2, keepdims=True)
    spread = np.sqrt(np.var(parts, axis=2, keepdims=True) + epsilon)
    return np.asarray((centred / spread).reshape(x.shape))


def unit_vectors(x: Float64) -> Float64:
    """Return vectors of length 1 in the direction of each row.

    Args:
        x: Shape (batch, width), without a row of zeros.
    """
    return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True))


def moved(layer: BatchNorm, x: Float64, momentum: float = MOMENTUM) -> tuple[Float64, Float64]:
    """Return the moving mean and variance after a batch was trained on.

    ``new = momentum * old + (1 - momentum) * batch``, with the variance divided by the number of
    examples, not by one less.

    Args:
        layer: The layer as it was before.
        x: Shape (batch, width).
        momentum: Share of the old statistics that is left.

    References:
        Ioffe and Szegedy, "Batch normalization", ICML (2015), section 3.1; Keras takes the biased
        variance.
    """
    return (
        momentum * layer.mean + (1.0 - momentum) * np.mean(x, axis=0),
        momentum * layer.variance + (1.0 - momentum) * np.var(x, axis=0),
    )


def folded(norm: BatchNorm, following: DenseLayer) -> DenseLayer:
    """Return one dense layer that predicts what `norm` and then `following` predict.

    With moving statistics the normalisation is ``scale * x + shift``, so that it can be multiplied
    into the kernel that comes next.
    """
    scale = norm.gamma / np.sqrt(norm.variance + EPSILON)
    shift = norm.beta - scale * norm.mean
    bias = shift @ following.kernel
    return following._replace(
        kernel=scale[:, np.newaxis] * following.kernel,
        bias=bias if following.bias is None else bias + following.bias,
    )
