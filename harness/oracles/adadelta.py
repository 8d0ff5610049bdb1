"""Adadelta: steps in the units of the parameter, from two moving averages of squares."""

from typing import NamedTuple

import numpy as np

from harness.oracles.arrays import Float64, require_same_shape


class AdadeltaState(NamedTuple):
    """State of one variable, each average of shape (*dims), zeros before the first step.

    Attributes:
        accumulated_grad: Moving average of squared gradients.
        accumulated_delta_var: Moving average of squared steps, without the learning rate.
    """

    accumulated_grad: Float64
    accumulated_delta_var: Float64


def adadelta_start(parameter: Float64) -> AdadeltaState:
    """Return the state before the first step, of the shape of `parameter`."""
    zeros = np.zeros_like(parameter, dtype=np.float64)
    return AdadeltaState(zeros, zeros)


def adadelta_step(
    parameter: Float64,
    gradient: Float64,
    state: AdadeltaState,
    *,
    learning_rate: float,
    rho: float = 0.95,
    epsilon: float = 1e-7,
) -> tuple[Float64, AdadeltaState]:
    """Return parameter and averages of one variable after one Adadelta update.

    With the averages E[g^2] and E[d^2] of the steps before::

        E[g^2]' = rho * E[g^2] + (1 - rho) * g**2
        d = -g * sqrt(E[d^2] + epsilon) / sqrt(E[g^2]' + epsilon)
        E[d^2]' = rho * E[d^2] + (1 - rho) * d**2
        w' = w + learning_rate * d

    VARIANT: the paper has no learning rate; 1 gives its form. The average takes in d as it is
    before the learning rate.

    Args:
        parameter: Shape (*dims), any rank.
        gradient: Shape (*dims), loss units per parameter unit, unscaled and clipped.
        state: Averages of shape (*dims).
        learning_rate: Factor on the step.
        rho: Share of the averages that is kept, in [0, 1).
        epsilon: Added under both roots.

    Raises:
        ShapeError: `gradient` or an average does not have the parameter's shape.

    References:
        Zeiler, "ADADELTA: an adaptive learning rate method", 2012, algorithm 1, arXiv:1212.5701.
        Keras, `keras.optimizers.Adadelta`.
    """
    require_same_shape(parameter, gradient=gradient, **state._asdict())
    squares = rho * state.accumulated_grad + (1 - rho) * gradient**2
    delta = -gradient * np.sqrt(state.accumulated_delta_var + epsilon) / np.sqrt(squares + epsilon)
    steps = rho * state.accumulated_delta_var + (1 - rho) * delta**2
    return parameter + learning_rate * delta, AdadeltaState(squares, steps)
