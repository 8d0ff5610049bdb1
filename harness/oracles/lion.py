"""Lion: the sign of an interpolated momentum."""

from typing import NamedTuple

import numpy as np

from harness.oracles.arrays import Float64, as_float32, require_same_shape


class LionState(NamedTuple):
    """State of one variable: its momentum, shape (*dims), zeros before the first step."""

    momentum: Float64


def lion_start(parameter: Float64) -> LionState:
    """Return the state before the first step, of the shape of `parameter`."""
    return LionState(np.zeros_like(parameter, dtype=np.float64))


def lion_step(
    parameter: Float64,
    gradient: Float64,
    state: LionState,
    *,
    learning_rate: float,
    beta_1: float = 0.9,
    beta_2: float = 0.99,
    float32_constants: bool = False,
) -> tuple[Float64, LionState]:
    """Return parameter and momentum of one variable after one Lion update.

    ``w' = w - learning_rate * sign(beta_1 * m + (1 - beta_1) * g)``, then
    ``m' = beta_2 * m + (1 - beta_2) * g``. Where the interpolation is zero nothing moves.

    Args:
        parameter: Shape (*dims), any rank.
        gradient: Shape (*dims), loss units per parameter unit, unscaled and clipped.
        state: Momentum of shape (*dims).
        learning_rate: Size of every step.
        beta_1: Share of the momentum in the step's direction, in (0, 1].
        beta_2: Decay of the momentum per update, in [0, 1).
        float32_constants: Round both betas to float32, as Keras does.

    Raises:
        ShapeError: `gradient` or the momentum does not have the parameter's shape.

    References:
        Chen et al., "Symbolic discovery of optimization algorithms", NeurIPS 2023, program 1,
        arXiv:2302.06675. Keras, `keras.optimizers.Lion`.
    """
    require_same_shape(parameter, gradient=gradient, momentum=state.momentum)
    if float32_constants:
        beta_1, beta_2 = as_float32(beta_1), as_float32(beta_2)
    direction = np.sign(beta_1 * state.momentum + (1 - beta_1) * gradient)
    momentum = beta_2 * state.momentum + (1 - beta_2) * gradient
    return parameter - learning_rate * direction, LionState(momentum)
