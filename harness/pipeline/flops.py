"""Floating-point operations of a train step, counted from the shapes of the layers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from harness.pipeline.backend import import_keras

__all__ = ["TRAINING_FACTOR", "forward_flops", "state_bytes"]

TRAINING_FACTOR = 3
"""A train step over a forward pass: gradients of inputs and of weights cost as much each."""

_MATRIX_RANK = 2
_PROJECTION_RANK = 3
_BATCH_STEPS_FEATURES = 3


def forward_flops(model: Any) -> float | None:
    """Operations of the matrix products in one forward pass over one example.

    A multiplication with its addition counts as two. Only matrix products and convolutions count,
    as in model FLOPs utilisation: activations, normalisations and reductions are left out.

    Args:
        model: A built Keras model.

    Returns:
        The operations; None where a layer with a weight matrix is of a kind we can't count.

    References:
        Chowdhery et al., PaLM (2022), appendix B, counts products alone, backward as two forward.
    """
    counts = [_count(layer) for layer in model.layers]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def state_bytes(variables: list[Any]) -> int:
    """Memory of all elements of some variables."""
    return sum(np.asarray(variable.numpy()).nbytes for variable in variables)


def _count(layer: Any) -> float | None:
    try:
        return _of_layer(layer)
    except (AttributeError, TypeError):
        # It has no one shape: it is called several times, out of sight, or on any length.
        return None


def _of_layer(layer: Any) -> float | None:
    layers = import_keras().layers
    if hasattr(layer, "layers"):
        return forward_flops(layer)
    if isinstance(layer, layers.MultiHeadAttention):
        return _attention(layer)
    if isinstance(layer, layers.RNN):
        return _recurrent(layer)
    if isinstance(layer, layers.Dense | layers.Conv1D | layers.Conv2D | layers.Conv3D):
        outputs = _size(layer.output.shape[1:]) / int(layer.kernel.shape[-1])
        return 2.0 * _size(layer.kernel.shape) * outputs
    matrices = [weight for weight in layer.weights if len(weight.shape) >= _MATRIX_RANK]
    return None if matrices and not isinstance(layer, layers.Embedding) else 0.0


def _recurrent(layer: Any) -> float:
    """Every step multiplies the input and the state by all kernels of the cell."""
    kernels = [weight for weight in layer.weights if len(weight.shape) == _MATRIX_RANK]
    steps = int(layer.input.shape[1])
    return 2.0 * steps * sum(_size(kernel.shape) for kernel in kernels)


def _attention(layer: Any) -> float | None:
    """Three projections in, scores, weighted values, one projection out.

    Only for attention of a sequence to itself, where all three have the same length.
    """
    inputs = layer.input
    query = inputs[0] if isinstance(inputs, list | tuple) else inputs
    length, width = int(query.shape[1]), int(layer.num_heads * layer.key_dim)
    if len(query.shape) != _BATCH_STEPS_FEATURES:
        return None
    products = [weight for weight in layer.weights if len(weight.shape) == _PROJECTION_RANK]
    projections = sum(_size(kernel.shape) for kernel in products)
    return 2.0 * length * projections + 4.0 * length * length * width


def _size(shape: Any) -> int:
    return math.prod(int(extent) for extent in shape)
