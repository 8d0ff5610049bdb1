"""RMSprop: plain, with momentum, centered."""

from typing import NamedTuple

import numpy as np

from harness.oracles.arrays import Float64, require_same_shape


class RmspropState(NamedTuple):
    """State of one variable; every array has shape (*dims) and starts at zero.

    Attributes:
        velocity: Moving mean of the squared gradient.
        momentum: Moving sum of steps, in parameter units. Keras has this slot with momentum only.
        average_gradient: Moving mean of the gradient. Keras has this slot if centered only.
    """

    velocity: Float64
    momentum: Float64
    average_gradient: Float64


def rmsprop_start(parameter: Float64) -> RmspropState:
    """Return the state before the first step, of the shape of `parameter`."""
    zeros = np.zeros_like(parameter, dtype=np.float64)
    return RmspropState(zeros, zeros, zeros)


def rmsprop_step(
    parameter: Float64,
    gradient: Float64,
    state: RmspropState,
    *,
    learning_rate: float,
    rho: float = 0.9,
    momentum: float = 0.0,
    epsilon: float = 1e-7,
    centered: bool = False,
    epsilon_in_root: bool = True,
) -> tuple[Float64, RmspropState]:
    """Return parameter and state of one variable after one RMSprop update.

    The step follows::

        v' = rho * v + (1 - rho) * g**2
        a' = rho * a + (1 - rho) * g            (used if centered)
        d  = v' - a'**2 if centered else v'
        i  = learning_rate * g / sqrt(d + epsilon)
        u' = momentum * u + i
        w' = w - u'

    VARIANT: plain, not Nesterov, momentum. Epsilon is added under the root, in squared gradient
    units: that is what Keras computes, although its documentation calls it the "epsilon hat" of
    Adam, which stands outside. ``epsilon_in_root=False`` gives that second reading,
    ``sqrt(d) + epsilon``. The two differ by up to a factor 3000 for vanishing gradients and the
    default epsilon.

    Args:
        parameter: Shape (*dims), any rank.
        gradient: Shape (*dims), loss units per parameter unit, unscaled and clipped.
        state: Moving means of shape (*dims).
        learning_rate: Step size of this update.
        rho: Share of the moving means that is kept, in [0, 1].
        momentum: Share of the last step that is repeated, in [0, 1).
        epsilon: Keeps the quotient finite.
        centered: Whether to divide by the standard deviation instead of the root mean square.
        epsilon_in_root: Where epsilon is added.

    Raises:
        ShapeError: `gradient` or a moving mean does not have the parameter's shape.

    References:
        Hinton, "Neural networks for machine learning", lecture 6e, 2012. Graves, "Generating
        sequences with recurrent neural networks", 2013, equations 38 to 41 (centered form),
        arXiv:1308.0850. Keras, `keras.optimizers.RMSprop`.
    """
    require_same_shape(
        parameter,
        gradient=gradient,
        velocity=state.velocity,
        momentum=state.momentum,
        average_gradient=state.average_gradient,
    )
    velocity = rho * state.velocity + (1.0 - rho) * gradient**2
    average = rho * state.average_gradient + (1.0 - rho) * gradient
    spread = velocity - average**2 if centered else velocity
    root = np.sqrt(spread + epsilon) if epsilon_in_root else np.sqrt(spread) + epsilon
    step = momentum * state.momentum + learning_rate * gradient / root
    return parameter - step, RmspropState(velocity, step, average)
