"""FTRL-Proximal: weights solved anew from all gradients so far, with L1 and L2 penalties."""

from typing import NamedTuple

import numpy as np

from harness.oracles.arrays import Float64, as_float32, require_same_shape


class FtrlState(NamedTuple):
    """State of one variable.

    Attributes:
        accumulator: Sum n of squared gradients and of its start value, shape (*dims).
        linear: Linear term z of the problem that the weights solve, shape (*dims), zeros before
            the first step.
    """

    accumulator: Float64
    linear: Float64


def ftrl_start(
    parameter: Float64,
    *,
    initial_accumulator_value: float = 0.1,
    float32_constants: bool = False,
) -> FtrlState:
    """Return the state before the first step, of the shape of `parameter`.

    Args:
        parameter: Shape (*dims), any rank.
        initial_accumulator_value: Value every element of the accumulator starts from.
        float32_constants: Round that value to float32, as Keras does.
    """
    value = initial_accumulator_value
    if float32_constants:
        value = as_float32(value)
    zeros = np.zeros_like(parameter, dtype=np.float64)
    return FtrlState(np.full_like(zeros, value), zeros)


def ftrl_step(
    parameter: Float64,
    gradient: Float64,
    state: FtrlState,
    *,
    learning_rate: float,
    learning_rate_power: float = -0.5,
    l1_regularization_strength: float = 0.0,
    l2_regularization_strength: float = 0.0,
    l2_shrinkage_regularization_strength: float = 0.0,
    beta: float = 0.0,
) -> tuple[Float64, FtrlState]:
    """Return parameter and state of one variable after one FTRL update.

    With p = -learning_rate_power, lambda_1, lambda_2 and the shrinkage s::

        n' = n + g**2
        sigma = (n'**p - n**p) / learning_rate
        z' = z + g + 2 * s * w - sigma * w
        q = (beta + n'**p) / learning_rate + 2 * lambda_2
        w' = (sgn(z') * lambda_1 - z') / q  where |z'| > lambda_1, else 0

    VARIANT: Keras' L2 strength counts double (its penalty is lambda_2 * |w|**2, the paper's half
    of that), and the accumulator starts above zero. The shrinkage adds the gradient of a
    penalty s * |w|**2 to the linear term only.

    Args:
        parameter: Shape (*dims), any rank.
        gradient: Shape (*dims), loss units per parameter unit, unscaled and clipped.
        state: Accumulator and linear term of shape (*dims).
        learning_rate: Step size of this update.
        learning_rate_power: How steps shrink with the accumulator, at most 0.
        l1_regularization_strength: Weights whose linear term is no larger are zero.
        l2_regularization_strength: Penalty on the weights that are solved for.
        l2_shrinkage_regularization_strength: Penalty on the weights before the step.
        beta: The paper's beta, added to the root.

    Raises:
        ShapeError: `gradient` or a part of the state does not have the parameter's shape.

    References:
        McMahan et al., "Ad click prediction: a view from the trenches", KDD 2013, algorithm 1.
        Keras, `keras.optimizers.Ftrl`.
    """
    require_same_shape(parameter, gradient=gradient, **state._asdict())
    power = -learning_rate_power
    accumulator = state.accumulator + gradient**2
    sigma = (accumulator**power - state.accumulator**power) / learning_rate
    shrunk = gradient + 2 * l2_shrinkage_regularization_strength * parameter
    linear = state.linear + shrunk - sigma * parameter
    quadratic = (beta + accumulator**power) / learning_rate + 2 * l2_regularization_strength
    beyond = np.maximum(np.abs(linear) - l1_regularization_strength, 0.0)
    return -np.sign(linear) * beyond / quadratic, FtrlState(accumulator, linear)
