"""Adagrad: step sizes that shrink with the squared gradients seen so far."""

from typing import NamedTuple

import numpy as np

from harness.oracles.arrays import Float64, as_float32, require_same_shape


class AdagradState(NamedTuple):
    """State of one variable: its sum of squared gradients, shape (*dims)."""

    accumulator: Float64


def adagrad_start(
    parameter: Float64,
    *,
    initial_accumulator_value: float = 0.1,
    float32_constants: bool = False,
) -> AdagradState:
    """Return the state before the first step, of the shape of `parameter`.

    Args:
        parameter: Shape (*dims), any rank.
        initial_accumulator_value: Value every element of the accumulator starts from.
        float32_constants: Round that value to float32, as Keras does.
    """
    value = initial_accumulator_value
    if float32_constants:
        value = as_float32(value)
    return AdagradState(np.full(np.shape(parameter), value, dtype=np.float64))


def adagrad_step(
    parameter: Float64,
    gradient: Float64,
    state: AdagradState,
    *,
    learning_rate: float,
    epsilon: float = 1e-7,
) -> tuple[Float64, AdagradState]:
    """Return parameter and accumulator of one variable after one Adagrad update.

    With ``G' = G + g**2`` the new parameter is ``w - learning_rate * g / sqrt(G' + epsilon)``.

    VARIANT: the diagonal form, with epsilon under the root, as in Keras. The paper adds its delta
    outside the root and starts G at zero.

    Args:
        parameter: Shape (*dims), any rank.
        gradient: Shape (*dims), loss units per parameter unit, unscaled and clipped.
        state: Accumulator of shape (*dims), in squared gradient units.
        learning_rate: Step size of this update.
        epsilon: Keeps the quotient finite, in squared gradient units.

    Raises:
        ShapeError: `gradient` or the accumulator does not have the parameter's shape.

    References:
        Duchi, Hazan & Singer, "Adaptive subgradient methods", JMLR 12, 2011, figure 1.
        Keras, `keras.optimizers.Adagrad`.
    """
    require_same_shape(parameter, gradient=gradient, accumulator=state.accumulator)
    accumulator = state.accumulator + gradient**2
    root = np.sqrt(accumulator + epsilon)
    return parameter - learning_rate * gradient / root, AdagradState(accumulator)
