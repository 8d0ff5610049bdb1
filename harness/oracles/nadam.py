"""Nadam: Adam with Nesterov momentum, under a momentum that grows with the updates."""

from typing import NamedTuple

import numpy as np

from harness.oracles.arrays import Float64, as_float32, require_same_shape

_DECAY = 0.96


class NadamState(NamedTuple):
    """State of one variable.

    Attributes:
        step: Updates done so far, 0 before the first one.
        momentum: First moment m, shape (*dims), zeros before the first step.
        velocity: Second moment v, shape (*dims), zeros before the first step.
    """

    step: int
    momentum: Float64
    velocity: Float64


def nadam_start(parameter: Float64) -> NadamState:
    """Return the state before the first step, of the shape of `parameter`."""
    zeros = np.zeros_like(parameter, dtype=np.float64)
    return NadamState(0, zeros, zeros)


def nadam_momentum(step: int, *, beta_1: float = 0.9, float32_constants: bool = False) -> float:
    """Return the momentum of update `step`, counted from 1: beta_1 * (1 - 0.96**step / 2)."""
    decay = as_float32(_DECAY) if float32_constants else _DECAY
    kept = as_float32(beta_1) if float32_constants else beta_1
    return kept * (1 - 0.5 * decay**step)


def nadam_product(updates: int, *, beta_1: float = 0.9) -> float:
    """Return the product of the momenta of the first `updates` updates, 1 before the first.

    Keras keeps it in one variable for the whole optimizer, and rounds none of its factors.
    """
    product = 1.0
    for step in range(1, updates + 1):
        product *= nadam_momentum(step, beta_1=beta_1)
    return product


def nadam_step(
    parameter: Float64,
    gradient: Float64,
    state: NadamState,
    *,
    learning_rate: float,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
    float32_constants: bool = False,
) -> tuple[Float64, NadamState]:
    """Return parameter and state of one variable after one Nadam update.

    With t = state.step + 1, the momenta mu_t of `nadam_momentum` and their product P_t::

        m_t = beta_1 * m + (1 - beta_1) * g
        v_t = beta_2 * v + (1 - beta_2) * g**2
        m^ = mu_{t+1} * m_t / (1 - P_t * mu_{t+1}) + (1 - mu_t) * g / (1 - P_t)
        w_t = w - learning_rate * m^ / (sqrt(v_t / (1 - beta_2**t)) + epsilon)

    VARIANT: momenta as in Dozat's report, but with 0.96**t where it has 0.96**(t / 250), and a
    first moment that decays by beta_1 itself. Epsilon is added to the corrected root.

    Args:
        parameter: Shape (*dims), any rank.
        gradient: Shape (*dims), loss units per parameter unit, unscaled and clipped.
        state: Moments of shape (*dims).
        learning_rate: Step size of this update.
        beta_1: Decay of the first moment per update, in [0, 1).
        beta_2: Decay of the second moment per update, in [0, 1).
        epsilon: Added to the root, in gradient units.
        float32_constants: Round beta_1, beta_2 and 0.96 to float32 everywhere but in the
            product, as Keras does.

    Raises:
        ShapeError: `gradient` or a moment does not have the parameter's shape.

    References:
        Dozat, "Incorporating Nesterov momentum into Adam", Stanford CS 229 report, 2015,
        algorithm 2. Keras, `keras.optimizers.Nadam`.
    """
    require_same_shape(
        parameter, gradient=gradient, momentum=state.momentum, velocity=state.velocity
    )
    step = state.step + 1
    now = nadam_momentum(step, beta_1=beta_1, float32_constants=float32_constants)
    following = nadam_momentum(step + 1, beta_1=beta_1, float32_constants=float32_constants)
    product = nadam_product(step, beta_1=beta_1)
    if float32_constants:
        beta_1, beta_2 = as_float32(beta_1), as_float32(beta_2)
    momentum = beta_1 * state.momentum + (1 - beta_1) * gradient
    velocity = beta_2 * state.velocity + (1 - beta_2) * gradient**2
    ahead = following * momentum / (1 - product * following)
    ahead = ahead + (1 - now) * gradient / (1 - product)
    root = np.sqrt(velocity / (1 - beta_2**step)) + epsilon
    return parameter - learning_rate * ahead / root, NadamState(step, momentum, velocity)
