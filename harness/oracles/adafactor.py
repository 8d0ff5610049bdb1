"""Adafactor: a second moment kept as row and column means, and steps relative to the weights."""

from typing import NamedTuple

import numpy as np

from harness.oracles.arrays import ArgumentError, Float64, as_float32, require_same_shape


class AdafactorState(NamedTuple):
    """State of one variable, zeros before the first step.

    Attributes:
        step: Updates done so far, 0 before the first one.
        v: Second moment, shape (*dims); for rank 2 and more it is rebuilt from `r` and `c`.
        r: Means over the last axis, shape dims[:-1]; None below rank 2.
        c: Means over the last axis but one, shape dims[:-2] + dims[-1:]; None below rank 2.
    """

    step: int
    v: Float64
    r: Float64 | None = None
    c: Float64 | None = None


def adafactor_start(parameter: Float64) -> AdafactorState:
    """Return the state before the first step, for the shape of `parameter`."""
    zeros = np.zeros_like(parameter, dtype=np.float64)
    if zeros.ndim < 2:  # noqa: PLR2004 - a matrix
        return AdafactorState(0, zeros)
    return AdafactorState(0, zeros, zeros.mean(axis=-1), zeros.mean(axis=-2))


def adafactor_step(
    parameter: Float64,
    gradient: Float64,
    state: AdafactorState,
    *,
    learning_rate: float,
    beta_2_decay: float = -0.8,
    epsilon_1: float = 1e-30,
    epsilon_2: float = 1e-3,
    clip_threshold: float = 1.0,
    relative_step: bool = True,
    float32_constants: bool = False,
) -> tuple[Float64, AdafactorState]:
    """Return parameter and state of one variable after one Adafactor update.

    With t = state.step + 1, s = g**2 + epsilon_1 and b_t = 1 - t**beta_2_decay::

        r = b_t * r + (1 - b_t) * mean(s, last axis)
        c = b_t * c + (1 - b_t) * mean(s, last axis but one)
        v = r / mean(r) x c                   (rank 2 and more: an outer product)
        v = b_t * v + (1 - b_t) * s           (rank 0 and 1)
        u = g / sqrt(v), then u / max(1, RMS(u) / clip_threshold)
        w' = w - max(epsilon_2, RMS(w)) * rho_t * u

    rho_t is the learning rate, with `relative_step` at most 1 / sqrt(t).

    VARIANT: no first moment. The paper caps the relative step at 0.01, Keras at the learning rate.

    Args:
        parameter: Shape (*dims), any rank.
        gradient: Shape (*dims), loss units per parameter unit, unscaled and clipped.
        state: Moments for that shape.
        learning_rate: Length of the step as a share of that of the weights.
        beta_2_decay: Exponent of the decay of the second moment, at most 0.
        epsilon_1: Added to the squared gradients.
        epsilon_2: Least root mean square of the weights that a step is relative to.
        clip_threshold: Largest root mean square of the direction.
        relative_step: Whether steps shrink with the number of updates.
        float32_constants: Round `epsilon_2` to float32, as Keras does.

    Raises:
        ArgumentError: The state is that of a variable of another rank.
        ShapeError: `gradient` or the second moment does not have the parameter's shape.

    References:
        Shazeer & Stern, "Adafactor", ICML 2018, algorithms 4 to 6, arXiv:1804.04235.
        Keras, `keras.optimizers.Adafactor`.
    """
    require_same_shape(parameter, gradient=gradient, v=state.v)
    factored = np.ndim(parameter) >= 2  # noqa: PLR2004 - a matrix
    if factored == (state.r is None or state.c is None):
        msg = f"r and c must be given from rank 2 on, got rank {np.ndim(parameter)}."
        raise ArgumentError(msg)
    step = state.step + 1
    decay = 1 - float(step) ** beta_2_decay
    squares = gradient**2 + epsilon_1
    rows, columns = state.r, state.c
    if rows is not None and columns is not None:
        rows = decay * rows + (1 - decay) * squares.mean(axis=-1)
        columns = decay * columns + (1 - decay) * squares.mean(axis=-2)
        shares = rows / rows.mean(axis=-1, keepdims=True)
        moment = shares[..., np.newaxis] * columns[..., np.newaxis, :]
    else:
        moment = decay * state.v + (1 - decay) * squares
    direction = gradient / np.sqrt(moment)
    direction = direction / max(1.0, _rms(direction) / clip_threshold)
    rate = min(learning_rate, 1 / np.sqrt(step)) if relative_step else learning_rate
    least = as_float32(epsilon_2) if float32_constants else epsilon_2
    after = parameter - max(least, _rms(parameter)) * rate * direction
    return after, AdafactorState(step, moment, rows, columns)


def _rms(values: Float64) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
