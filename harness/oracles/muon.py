"""Muon: the momentum of a matrix, made nearly orthogonal by a Newton-Schulz iteration."""

from typing import NamedTuple

import numpy as np

from harness.oracles.arrays import ArgumentError, Float64, require_same_shape


class MuonState(NamedTuple):
    """State of one matrix: its momentum, shape (rows, columns), zeros before the first step."""

    momentum: Float64


def muon_start(parameter: Float64) -> MuonState:
    """Return the state before the first step, of the shape of `parameter`."""
    return MuonState(np.zeros_like(parameter, dtype=np.float64))


def orthogonalized(
    matrix: Float64,
    *,
    steps: int = 5,
    coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
) -> Float64:
    """Return `matrix` with its singular values driven towards 1, of the same shape.

    X starts as the matrix over its Frobenius norm (plus 1e-7), so that no singular value exceeds
    1. Each iteration is ``X' = a X + b (X X^T) X + c (X X^T)^2 X``, which leaves the singular
    vectors alone and maps each singular value s to ``a s + b s**3 + c s**5``. With Keras'
    coefficients they end near 1, not at it.

    Args:
        matrix: Shape (rows, columns).
        steps: Number of iterations.
        coefficients: a, b and c.

    Raises:
        ArgumentError: `matrix` is none.

    References:
        Jordan, "Muon: an optimizer for hidden layers in neural networks", 2024.
    """
    if np.ndim(matrix) != 2:  # noqa: PLR2004 - a matrix
        msg = f"matrix must have two axes, got {np.ndim(matrix)}."
        raise ArgumentError(msg)
    a, b, c = coefficients
    tall = matrix.shape[0] > matrix.shape[1]
    x: Float64 = matrix.T if tall else matrix
    x = x / (np.sqrt(np.sum(np.square(x))) + 1e-7)
    for _ in range(steps):
        product = x @ x.T
        x = a * x + (b * product + c * product @ product) @ x
    return x.T if tall else x


def muon_step(
    parameter: Float64,
    gradient: Float64,
    state: MuonState,
    *,
    learning_rate: float,
    momentum: float = 0.95,
    nesterov: bool = True,
    ns_steps: int = 5,
    coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
    rms_rate: float | None = 0.2,
) -> tuple[Float64, MuonState]:
    """Return parameter and momentum of one matrix after one Muon update.

    With ``m' = momentum * m + g`` the direction is `orthogonalized` of ``m'``, with `nesterov` of
    ``g + momentum * m'``. It is scaled by ``rms_rate * sqrt(max(rows, columns))``, so that
    its root mean square is that of a usual Adam step, unless `rms_rate` is None.

    VARIANT: momentum that adds gradients up, as first published; later versions average them.

    Args:
        parameter: Shape (rows, columns).
        gradient: Shape (rows, columns), loss units per parameter unit, unscaled and clipped.
        state: Momentum of that shape.
        learning_rate: Step size of this update.
        momentum: Share of the momentum that is kept, in [0, 1].
        nesterov: Whether to look ahead.
        ns_steps: Newton-Schulz iterations.
        coefficients: Of the iteration.
        rms_rate: Factor on the step, or None for the step as it is.

    Raises:
        ArgumentError: The parameter is no matrix.
        ShapeError: `gradient` or the momentum does not have the parameter's shape.

    References:
        Jordan, "Muon: an optimizer for hidden layers in neural networks", 2024.
        Liu et al., "Muon is scalable for LLM training", 2025, section 2.2, arXiv:2502.16982.
        Keras, `keras.optimizers.Muon`.
    """
    require_same_shape(parameter, gradient=gradient, momentum=state.momentum)
    moved = momentum * state.momentum + gradient
    direction = orthogonalized(
        gradient + momentum * moved if nesterov else moved,
        steps=ns_steps,
        coefficients=coefficients,
    )
    if rms_rate is not None:
        direction = direction * rms_rate * np.sqrt(max(parameter.shape))
    return parameter - learning_rate * direction, MuonState(moved)
