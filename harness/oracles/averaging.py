"""Gradient accumulation, moving average of the weights, and decoupled weight decay."""

from collections.abc import Sequence

import numpy as np

from harness.oracles.arrays import (
    Float64,
    as_float32,
    require_fraction,
    require_positive,
    require_same_shape,
)


def accumulated(accumulator: Float64, gradient: Float64) -> Float64:
    """Return the running sum of a window with one more micro-batch gradient, shape (*dims).

    Raises:
        ShapeError: `gradient` does not have the accumulator's shape.
    """
    require_same_shape(accumulator, gradient=gradient)
    return accumulator + gradient


def mean_gradient(accumulator: Float64, steps: int) -> Float64:
    """Return the gradient of one window of `steps` micro-batches, shape (*dims).

    It is the sum over the window divided by the length of the window: for micro-batches of equal
    size and a mean loss, the gradient of the one batch they make up. A micro-batch that gave the
    variable no gradient counts as zeros.

    Raises:
        ArgumentError: `steps` is not positive.
    """
    require_positive(steps=steps)
    return accumulator / steps


def is_update_step(iterations: int, gradient_accumulation_steps: int | None) -> bool:
    """Say whether the step that starts at counter value `iterations` changes the weights.

    Without accumulation every step does; with windows of k steps the last of each window does,
    that is when ``(iterations + 1) % k == 0``. A last, partial window never updates.
    """
    steps = gradient_accumulation_steps or 1
    return (iterations + 1) % steps == 0


def decayed_weights(
    parameter: Float64,
    *,
    learning_rate: float,
    weight_decay: float,
    float32_constants: bool = False,
) -> Float64:
    """Return weights after decoupled decay, ``w - w * weight_decay * learning_rate``.

    Keras decays after clipping and before the optimizer's own step, so the decay is never
    clipped, never enters a moment, and happens once per update.

    Args:
        parameter: Shape (*dims), any rank.
        learning_rate: Learning rate of this update, schedule included.
        weight_decay: Share of the weights removed per unit of learning rate.
        float32_constants: Round `weight_decay` to float32, as Keras does.

    References:
        Loshchilov & Hutter, "Decoupled weight decay regularization", ICLR 2019, equation 1.
    """
    decay = as_float32(weight_decay) if float32_constants else weight_decay
    return parameter - parameter * decay * learning_rate


def averaged_weights(
    average: Float64, parameter: Float64, *, ema_momentum: float, updates: int
) -> Float64:
    """Return the moving average of a variable after update number `updates`, shape (*dims).

    The first update copies the weights, so no start value leaks in; later ones give
    ``ema_momentum * average + (1 - ema_momentum) * parameter``.

    Args:
        average: Average before this update, shape (*dims).
        parameter: Weights after this update, shape (*dims).
        ema_momentum: Share of the average that is kept, in [0, 1].
        updates: Updates done, this one included; at least 1.

    Raises:
        ArgumentError: `ema_momentum` lies outside [0, 1], or `updates` is not positive.
        ShapeError: `average` does not have the parameter's shape.

    References:
        Keras, "keras.optimizers.Optimizer", argument `ema_momentum`.
    """
    require_fraction(ema_momentum=ema_momentum)
    require_positive(updates=updates)
    require_same_shape(parameter, average=average)
    if updates == 1:
        return parameter.copy()
    return ema_momentum * average + (1.0 - ema_momentum) * parameter


def overwrites_weights(updates: int, ema_overwrite_frequency: int | None) -> bool:
    """Say whether the averages replace the weights after update number `updates`.

    They do after every `ema_overwrite_frequency` updates, and never where that is None. Under
    gradient accumulation updates count, not micro-steps.
    """
    return bool(ema_overwrite_frequency) and updates % (ema_overwrite_frequency or 1) == 0


def average_of(parameters: Sequence[Float64], *, ema_momentum: float) -> Float64:
    """Return the moving average over a whole trajectory, in closed form, shape (*dims).

    With weights w_1 .. w_n after n updates and momentum m this is
    ``m**(n-1) * w_1 + (1 - m) * sum(m**(n-i) * w_i for i in 2..n)``.

    Args:
        parameters: Weights after update 1, 2, .. n, each of shape (*dims); at least one.
        ema_momentum: Share of the average that is kept, in [0, 1].

    Raises:
        ArgumentError: There is no weight, or `ema_momentum` lies outside [0, 1].
    """
    require_positive(updates=len(parameters))
    require_fraction(ema_momentum=ema_momentum)
    last = len(parameters) - 1
    ages = np.arange(last, -1, -1)
    shares = (1.0 - ema_momentum) * np.power(ema_momentum, ages)
    shares[0] = ema_momentum**last
    return np.tensordot(shares, np.stack(parameters), axes=1)
