"""Adam, its AMSGrad variant, and AdamW."""

from typing import NamedTuple

import numpy as np

from harness.oracles.arrays import Float64, as_float32, require_same_shape
from harness.oracles.averaging import decayed_weights


class AdamState(NamedTuple):
    """State of one variable.

    Attributes:
        step: Updates done so far, 0 before the first one.
        momentum: First moment m, shape (*dims), zeros before the first step.
        velocity: Second moment v, shape (*dims), zeros before the first step.
        velocity_hat: Largest v so far, shape (*dims); None without AMSGrad.
    """

    step: int
    momentum: Float64
    velocity: Float64
    velocity_hat: Float64 | None = None


def adam_start(parameter: Float64, *, amsgrad: bool = False) -> AdamState:
    """Return the state before the first step, of the shape of `parameter`."""
    zeros = np.zeros_like(parameter, dtype=np.float64)
    return AdamState(0, zeros, zeros, zeros if amsgrad else None)


def adam_step(
    parameter: Float64,
    gradient: Float64,
    state: AdamState,
    *,
    learning_rate: float,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
    float32_constants: bool = False,
) -> tuple[Float64, AdamState]:
    """Return parameter and state of one variable after one Adam update.

    With t = state.step + 1::

        m_t = beta_1 * m + (1 - beta_1) * g
        v_t = beta_2 * v + (1 - beta_2) * g**2
        alpha_t = learning_rate * sqrt(1 - beta_2**t) / (1 - beta_1**t)
        w_t = w - alpha_t * m_t / (sqrt(v_t) + epsilon)

    VARIANT: the paper's "epsilon hat", added to the root before v is corrected. Algorithm 1 of
    the paper adds epsilon to the corrected root and takes larger steps while gradients are tiny.
    With a `velocity_hat` in the state (AMSGrad) the root is taken of ``max(v_hat, v_t)``; the
    maximum runs over the uncorrected v, and the bias correction stays, as in Keras and unlike
    Algorithm 2 of Reddi et al., which has none.

    Args:
        parameter: Shape (*dims), any rank.
        gradient: Shape (*dims), loss units per parameter unit, unscaled and clipped.
        state: Moments of shape (*dims).
        learning_rate: Step size of this update.
        beta_1: Decay of the first moment per update, in [0, 1).
        beta_2: Decay of the second moment per update, in [0, 1).
        epsilon: Added to the root, in gradient units.
        float32_constants: Round the betas to float32 inside the bias correction, as Keras does.

    Raises:
        ShapeError: `gradient` or a moment does not have the parameter's shape.

    References:
        Kingma & Ba, "Adam", ICLR 2015, end of section 2, arXiv:1412.6980.
        Reddi, Kale & Kumar, "On the convergence of Adam and beyond", ICLR 2018.
    """
    require_same_shape(
        parameter, gradient=gradient, momentum=state.momentum, velocity=state.velocity
    )
    step = state.step + 1
    momentum = beta_1 * state.momentum + (1.0 - beta_1) * gradient
    velocity = beta_2 * state.velocity + (1.0 - beta_2) * gradient**2
    power_1 = (as_float32(beta_1) if float32_constants else beta_1) ** step
    power_2 = (as_float32(beta_2) if float32_constants else beta_2) ** step
    alpha = learning_rate * np.sqrt(1.0 - power_2) / (1.0 - power_1)
    largest = state.velocity_hat
    if largest is not None:
        require_same_shape(parameter, velocity_hat=largest)
        largest = np.maximum(largest, velocity)
    root = np.sqrt(velocity if largest is None else largest)
    updated = parameter - alpha * momentum / (root + epsilon)
    return updated, AdamState(step, momentum, velocity, largest)


def adamw_step(
    parameter: Float64,
    gradient: Float64,
    state: AdamState,
    *,
    learning_rate: float,
    weight_decay: float = 0.004,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
    float32_constants: bool = False,
) -> tuple[Float64, AdamState]:
    """Return parameter and state of one variable after one AdamW update.

    The weights are first shrunk, ``w - w * weight_decay * learning_rate``, then `adam_step`
    starts from the shrunk weights. The moments see the gradient alone.

    VARIANT: the decay is multiplied by the learning rate of this update, schedule included;
    the paper multiplies by the schedule factor only.

    Args:
        parameter: Shape (*dims), any rank.
        gradient: Shape (*dims), loss units per parameter unit, unscaled and clipped.
        state: Moments of shape (*dims).
        learning_rate: Step size of this update.
        weight_decay: Share of the weights removed per unit of learning rate.
        beta_1: Decay of the first moment per update, in [0, 1).
        beta_2: Decay of the second moment per update, in [0, 1).
        epsilon: Added to the root, in gradient units.
        float32_constants: Round as Keras does: `weight_decay`, and the betas in the correction.

    Raises:
        ShapeError: `gradient` or a moment does not have the parameter's shape.

    References:
        Loshchilov & Hutter, "Decoupled weight decay regularization", ICLR 2019, Algorithm 2,
        arXiv:1711.05101.
    """
    shrunk = decayed_weights(
        parameter,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        float32_constants=float32_constants,
    )
    return adam_step(
        shrunk,
        gradient,
        state,
        learning_rate=learning_rate,
        beta_1=beta_1,
        beta_2=beta_2,
        epsilon=epsilon,
        float32_constants=float32_constants,
    )
