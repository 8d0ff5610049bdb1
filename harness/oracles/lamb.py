"""LAMB: Adam's direction, as long as the weights of the variable times the learning rate."""

from typing import NamedTuple

import numpy as np

from harness.oracles.arrays import Float64, as_float32, require_same_shape


class LambState(NamedTuple):
    """State of one variable.

    Attributes:
        step: Updates done so far, 0 before the first one.
        momentum: First moment m, shape (*dims), zeros before the first step.
        velocity: Second moment v, shape (*dims), zeros before the first step.
    """

    step: int
    momentum: Float64
    velocity: Float64


def lamb_start(parameter: Float64) -> LambState:
    """Return the state before the first step, of the shape of `parameter`."""
    zeros = np.zeros_like(parameter, dtype=np.float64)
    return LambState(0, zeros, zeros)


def lamb_step(
    parameter: Float64,
    gradient: Float64,
    state: LambState,
    *,
    learning_rate: float,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
    float32_constants: bool = False,
) -> tuple[Float64, LambState]:
    """Return parameter and state of one variable after one LAMB update.

    With t = state.step + 1, m^ and v^ corrected as in Adam::

        r = m^ / (sqrt(v^) + epsilon)
        w' = w - learning_rate * (|w| / |r|) * r

    The ratio of the two L2 norms, each over the whole variable, is 1 where one of them is zero.

    VARIANT: the paper's phi is the identity. Weight decay is not part of r, as it is in the
    paper; it is done before, decoupled.

    Args:
        parameter: Shape (*dims), any rank.
        gradient: Shape (*dims), loss units per parameter unit, unscaled and clipped.
        state: Moments of shape (*dims).
        learning_rate: Length of the step as a share of that of the weights.
        beta_1: Decay of the first moment per update, in [0, 1).
        beta_2: Decay of the second moment per update, in [0, 1).
        epsilon: Added to the corrected root, in gradient units.
        float32_constants: Round the betas to float32 inside the bias correction, as Keras does.

    Raises:
        ShapeError: `gradient` or a moment does not have the parameter's shape.

    References:
        You et al., "Large batch optimization for deep learning", ICLR 2020, algorithm 2,
        arXiv:1904.00962. Keras, `keras.optimizers.Lamb`.
    """
    require_same_shape(
        parameter, gradient=gradient, momentum=state.momentum, velocity=state.velocity
    )
    step = state.step + 1
    momentum = beta_1 * state.momentum + (1 - beta_1) * gradient
    velocity = beta_2 * state.velocity + (1 - beta_2) * gradient**2
    if float32_constants:
        beta_1, beta_2 = as_float32(beta_1), as_float32(beta_2)
    direction = momentum / (1 - beta_1**step)
    direction = direction / (np.sqrt(velocity / (1 - beta_2**step)) + epsilon)
    length, size = np.linalg.norm(np.ravel(parameter)), np.linalg.norm(np.ravel(direction))
    ratio = length / size if length > 0 and size > 0 else 1.0
    return parameter - learning_rate * ratio * direction, LambState(step, momentum, velocity)
