"""Stochastic gradient descent: plain, with momentum, with Nesterov momentum."""

from typing import NamedTuple

import numpy as np

from harness.oracles.arrays import Float64, as_float32, require_same_shape


class SgdState(NamedTuple):
    """Slot of one variable: its velocity, shape (*dims), zeros before the first step.

    Keras calls the slot "momentum" and has none where the momentum is 0.
    """

    momentum: Float64


def sgd_start(parameter: Float64) -> SgdState:
    """Return the state before the first step, of the shape of `parameter`."""
    return SgdState(np.zeros_like(parameter, dtype=np.float64))


def sgd_step(
    parameter: Float64,
    gradient: Float64,
    state: SgdState,
    *,
    learning_rate: float,
    momentum: float = 0.0,
    nesterov: bool = False,
    float32_constants: bool = False,
) -> tuple[Float64, SgdState]:
    """Return parameter and velocity after one descent step, each of shape (*dims).

    With ``v' = momentum * v - learning_rate * g`` the new parameter is

    - ``w + v'`` (heavy ball; with momentum 0 this is ``w - learning_rate * g``),
    - ``w + momentum * v' - learning_rate * g`` if `nesterov`.

    VARIANT: the velocity holds steps, learning rate included, so a change of the learning rate
    acts on new gradients only. PyTorch keeps the learning rate outside. Nesterov is the form of
    Sutskever et al., where the stored weights are those at the look-ahead point.

    Args:
        parameter: Shape (*dims), any rank.
        gradient: Shape (*dims), loss units per parameter unit, unscaled and clipped.
        state: Velocity of shape (*dims), in parameter units.
        learning_rate: Step size of this update.
        momentum: Share of the velocity that is kept, in [0, 1].
        nesterov: Whether to look ahead. Without momentum it changes nothing.
        float32_constants: Round `momentum` to float32, as Keras does.

    Raises:
        ShapeError: `gradient` or the velocity does not have the parameter's shape.

    References:
        Sutskever, Martens, Dahl & Hinton, "On the importance of initialization and momentum in
        deep learning", ICML 2013, equations 1 to 4. Keras, `keras.optimizers.SGD`.
    """
    require_same_shape(parameter, gradient=gradient, momentum=state.momentum)
    kept = as_float32(momentum) if float32_constants else momentum
    velocity = kept * state.momentum - learning_rate * gradient
    if nesterov:
        return parameter + kept * velocity - learning_rate * gradient, SgdState(velocity)
    return parameter + velocity, SgdState(velocity)
