"""Schedule-free AdamW: gradients at a point between the fast weights and their average."""

from typing import NamedTuple

import numpy as np

from harness.oracles.arrays import Float64, as_float32, require_same_shape


class ScheduleFreeState(NamedTuple):
    """State of one variable.

    Attributes:
        step: Updates done so far, 0 before the first one.
        momentum: The fast weights z, shape (*dims), equal to the parameter before the first step.
        velocity: Second moment v, shape (*dims), zeros before the first step.
    """

    step: int
    momentum: Float64
    velocity: Float64


def schedule_free_start(parameter: Float64) -> ScheduleFreeState:
    """Return the state before the first step of `parameter`."""
    start = np.array(parameter, dtype=np.float64)
    return ScheduleFreeState(0, start, np.zeros_like(start))


def schedule_free_step(
    parameter: Float64,
    gradient: Float64,
    state: ScheduleFreeState,
    *,
    learning_rate: float,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-8,
    warmup_steps: int = 0,
    float32_constants: bool = False,
) -> tuple[Float64, ScheduleFreeState]:
    """Return parameter and state of one variable after one schedule-free update.

    The parameter is the point y between z, the fast weights, and x, their average, so that
    x = (y - (1 - beta_1) * z) / beta_1 need not be kept. With t = state.step + 1::

        v_t = beta_2 * v + (1 - beta_2) * g**2
        gamma_t = learning_rate * min(1, t / warmup_steps)
        z_t = z - gamma_t * g / (sqrt(v_t / (1 - beta_2**t)) + epsilon)
        x_t = (1 - 1 / t) * x + z_t / t
        y_t = (1 - beta_1) * z_t + beta_1 * x_t

    VARIANT: every z weighs the same in x; the paper weighs it with the square of gamma_t, which
    differs during the warm-up. Weight decay is done before, on y alone; in the paper it is a
    part of the step of z.

    Args:
        parameter: y, shape (*dims), any rank.
        gradient: Shape (*dims), loss units per parameter unit, at y, unscaled and clipped.
        state: z and v of shape (*dims).
        learning_rate: Step size of this update after the warm-up.
        beta_1: Share of the average in y, in (0, 1].
        beta_2: Decay of the second moment per update, in [0, 1).
        epsilon: Added to the corrected root, in gradient units.
        warmup_steps: Updates over which the rate grows to the learning rate.
        float32_constants: Round betas and epsilon to float32, as Keras does.

    Raises:
        ShapeError: `gradient` or a part of the state does not have the parameter's shape.

    References:
        Defazio et al., "The road less scheduled", NeurIPS 2024, algorithm 1, arXiv:2405.15682.
        Keras, `keras.optimizers.ScheduleFreeAdamW`.
    """
    require_same_shape(
        parameter, gradient=gradient, momentum=state.momentum, velocity=state.velocity
    )
    if float32_constants:
        beta_1, beta_2, epsilon = as_float32(beta_1), as_float32(beta_2), as_float32(epsilon)
    step = state.step + 1
    rate = learning_rate * min(1.0, step / warmup_steps) if warmup_steps else learning_rate
    velocity = beta_2 * state.velocity + (1 - beta_2) * gradient**2
    root = np.sqrt(velocity / (1 - beta_2**step)) + epsilon
    fast = state.momentum - rate * gradient / root
    average = (parameter - (1 - beta_1) * state.momentum) / beta_1
    average = (1 - 1 / step) * average + fast / step
    return (1 - beta_1) * fast + beta_1 * average, ScheduleFreeState(step, fast, velocity)
