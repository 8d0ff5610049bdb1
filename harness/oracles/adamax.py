"""Adamax: Adam with the infinity norm of the gradients in place of their second moment."""

from typing import NamedTuple

import numpy as np

from harness.oracles.arrays import Float64, as_float32, require_same_shape


class AdamaxState(NamedTuple):
    """State of one variable.

    Attributes:
        step: Updates done so far, 0 before the first one.
        momentum: First moment m, shape (*dims), zeros before the first step.
        norm: Weighted infinity norm u, shape (*dims), zeros before the first step.
    """

    step: int
    momentum: Float64
    norm: Float64


def adamax_start(parameter: Float64) -> AdamaxState:
    """Return the state before the first step, of the shape of `parameter`."""
    zeros = np.zeros_like(parameter, dtype=np.float64)
    return AdamaxState(0, zeros, zeros)


def adamax_step(
    parameter: Float64,
    gradient: Float64,
    state: AdamaxState,
    *,
    learning_rate: float,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
    float32_constants: bool = False,
) -> tuple[Float64, AdamaxState]:
    """Return parameter and state of one variable after one Adamax update.

    With t = state.step + 1::

        m_t = beta_1 * m + (1 - beta_1) * g
        u_t = max(beta_2 * u, |g|)
        w_t = w - learning_rate / (1 - beta_1**t) * m_t / (u_t + epsilon)

    VARIANT: the paper needs no epsilon, because its gradients are never zero from the start on.

    Args:
        parameter: Shape (*dims), any rank.
        gradient: Shape (*dims), loss units per parameter unit, unscaled and clipped.
        state: Moment and norm of shape (*dims).
        learning_rate: Step size of this update.
        beta_1: Decay of the first moment per update, in [0, 1).
        beta_2: Decay of the norm per update, in [0, 1).
        epsilon: Added to the norm, in gradient units.
        float32_constants: Round beta_1 to float32 inside the bias correction, as Keras does.

    Raises:
        ShapeError: `gradient`, the moment or the norm does not have the parameter's shape.

    References:
        Kingma & Ba, "Adam", ICLR 2015, section 7.1, algorithm 2, arXiv:1412.6980.
        Keras, `keras.optimizers.Adamax`.
    """
    require_same_shape(parameter, gradient=gradient, momentum=state.momentum, norm=state.norm)
    step = state.step + 1
    momentum = beta_1 * state.momentum + (1 - beta_1) * gradient
    norm = np.maximum(beta_2 * state.norm, np.abs(gradient))
    power = (as_float32(beta_1) if float32_constants else beta_1) ** step
    after = parameter - learning_rate * momentum / ((1 - power) * (norm + epsilon))
    return after, AdamaxState(step, momentum, norm)
