"""Learning rate schedules in closed form: optimizer step (or epoch) to learning rate.

The step is the optimizer's raw counter before the update, 0 for the first one. Everything is
computed in float64. Keras computes the same formulas in float32, even in a float64 run, because
its schedules start from a Python number that becomes a float32 tensor: compare with a relative
tolerance of a few 1e-7, and more where a cosine or a power cancels near zero.
"""

import inspect
import math
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from harness.oracles.arrays import ArgumentError, require_known, require_positive

_SLACK = 1e-9
"""Relative rounding allowed to the sum of period lengths when `t_mul` is not a whole number."""


def exponential_decay(
    step: int,
    *,
    initial_learning_rate: float,
    decay_steps: float,
    decay_rate: float,
    staircase: bool = False,
) -> float:
    """Return ``initial_learning_rate * decay_rate ** (step / decay_steps)``.

    With `staircase` the exponent is rounded down, so that the rate is constant for `decay_steps`
    steps at a time.

    Raises:
        ArgumentError: `decay_steps` is not positive.

    References:
        Keras, `keras.optimizers.schedules.ExponentialDecay`.
    """
    require_positive(decay_steps=decay_steps)
    exponent = step // decay_steps if staircase else step / decay_steps
    return float(initial_learning_rate * decay_rate**exponent)


def inverse_time_decay(
    step: int,
    *,
    initial_learning_rate: float,
    decay_steps: float,
    decay_rate: float,
    staircase: bool = False,
) -> float:
    """Return ``initial_learning_rate / (1 + decay_rate * step / decay_steps)``.

    With `staircase` the quotient ``step / decay_steps`` is rounded down.

    Raises:
        ArgumentError: `decay_steps` is not positive.

    References:
        Keras, `keras.optimizers.schedules.InverseTimeDecay`.
    """
    require_positive(decay_steps=decay_steps)
    elapsed = step // decay_steps if staircase else step / decay_steps
    return initial_learning_rate / (1.0 + decay_rate * elapsed)


def polynomial_decay(
    step: int,
    *,
    initial_learning_rate: float,
    decay_steps: float,
    end_learning_rate: float = 0.0001,
    power: float = 1.0,
    cycle: bool = False,
) -> float:
    """Return ``(initial - end) * (1 - step / decay_steps) ** power + end``.

    From `decay_steps` on the rate stays at `end_learning_rate`. With `cycle` `decay_steps` is
    replaced by ``decay_steps * ceil(step / decay_steps)``, at least one period: the rate jumps up
    after each period and comes down to the end again, ever more slowly.

    VARIANT: the documentation promises "the first multiple that is bigger than `step`", its
    formula the first that is at least `step`. The formula stands: at a whole multiple the rate is
    `end_learning_rate`.

    Raises:
        ArgumentError: `decay_steps` is not positive.

    References:
        Keras, `keras.optimizers.schedules.PolynomialDecay`.
    """
    require_positive(decay_steps=decay_steps)
    period = decay_steps
    if cycle:
        period = decay_steps * max(1, math.ceil(step / decay_steps))
    remaining = 1.0 - min(step, period) / period
    span = initial_learning_rate - end_learning_rate
    return float(span * remaining**power + end_learning_rate)


def piecewise_constant_decay(
    step: int, *, boundaries: Sequence[float], values: Sequence[float]
) -> float:
    """Return ``values[i]`` for the i-th interval; a boundary belongs to the interval it ends.

    ``values[0]`` if ``step <= boundaries[0]``, ``values[1]`` if ``boundaries[0] < step <=
    boundaries[1]``, and so on, ``values[-1]`` beyond the last boundary.

    Raises:
        ArgumentError: There isn't one more value than boundaries, or these don't increase.

    References:
        Keras, `keras.optimizers.schedules.PiecewiseConstantDecay`.
    """
    if len(values) != len(boundaries) + 1:
        msg = (
            f"values must hold one entry more than boundaries ({len(boundaries)}), "
            f"got {len(values)}."
        )
        raise ArgumentError(msg)
    if list(boundaries) != sorted(set(boundaries)):
        msg = f"boundaries must increase strictly, got {tuple(boundaries)!r}."
        raise ArgumentError(msg)
    return float(values[bisect_left(boundaries, step)])


def cosine_decay(
    step: int,
    *,
    initial_learning_rate: float,
    decay_steps: float,
    alpha: float = 0.0,
    warmup_target: float | None = None,
    warmup_steps: float = 0,
) -> float:
    """Return the rate of a half cosine, after an optional linear warm-up.

    Without `warmup_target` the rate falls from `initial_learning_rate` to ``alpha *
    initial_learning_rate`` within `decay_steps` steps and stays there::

        start * ((1 - alpha) * 0.5 * (1 + cos(pi * min(step, decay_steps) / decay_steps)) + alpha)

    With it, the rate first grows linearly from `initial_learning_rate` to `warmup_target` within
    `warmup_steps` steps, and the cosine starts there, from `warmup_target`.

    VARIANT: `alpha` is a fraction of the start of the cosine, not a learning rate. The printed
    warm-up formula of the documentation leaves out ``+ initial_learning_rate``; its text, "from
    `initial_learning_rate` to `warmup_target`", is what holds. `warmup_steps` without
    `warmup_target` has no effect.

    Raises:
        ArgumentError: `decay_steps` is not positive.

    References:
        Loshchilov & Hutter, "SGDR", ICLR 2017, equation 5, arXiv:1608.03983. Goyal et al.,
        arXiv:1706.02677, section 2.2. Keras, `keras.optimizers.schedules.CosineDecay`.
    """
    require_positive(decay_steps=decay_steps)
    if warmup_target is None:
        return initial_learning_rate * _half_cosine(step / decay_steps, alpha)
    if step < warmup_steps:
        rise = warmup_target - initial_learning_rate
        return initial_learning_rate + rise * step / warmup_steps
    return warmup_target * _half_cosine((step - warmup_steps) / decay_steps, alpha)


def cosine_decay_restarts(
    step: int,
    *,
    initial_learning_rate: float,
    first_decay_steps: float,
    t_mul: float = 2.0,
    m_mul: float = 1.0,
    alpha: float = 0.0,
) -> float:
    """Return the rate of repeated half cosines, each `t_mul` times as long as the one before.

    Period i lasts ``first_decay_steps * t_mul**i`` steps and starts at
    ``initial_learning_rate * ((1 - alpha) * m_mul**i + alpha)``; within it the rate falls to
    ``alpha * initial_learning_rate``. The step on which a period ends is the first of the next.

    VARIANT: `m_mul` scales the part above the floor only, as Keras computes it.

    Raises:
        ArgumentError: `first_decay_steps` is not positive, or `t_mul` is below 1: periods that
            shrink have no last one.

    References:
        Loshchilov & Hutter, "SGDR", ICLR 2017, section 3, arXiv:1608.03983.
        Keras, `keras.optimizers.schedules.CosineDecayRestarts`.
    """
    require_positive(first_decay_steps=first_decay_steps)
    if not t_mul >= 1:
        msg = f"t_mul must be at least 1, got {t_mul!r}."
        raise ArgumentError(msg)
    elapsed, period, restarts = float(step), float(first_decay_steps), 0
    while elapsed >= period * (1.0 - _SLACK):
        elapsed, period, restarts = elapsed - period, period * t_mul, restarts + 1
    height = m_mul**restarts * _half_cosine(max(elapsed, 0.0) / period, 0.0)
    return initial_learning_rate * ((1.0 - alpha) * height + alpha)


def warmup_cosine(step: int, *, peak_lr: float, warmup_steps: int, total_steps: int) -> float:
    """Return the rate of a linear warm-up from zero followed by a half cosine to zero.

    ``peak_lr * step / warmup_steps`` below `warmup_steps`, then a half cosine that reaches zero at
    `total_steps` and stays there.

    VARIANT: the harness' own schedule. Textbook code without the lower bound climbs again after
    `total_steps`, because a cosine does.

    Raises:
        ArgumentError: `total_steps` is not greater than `warmup_steps`.
    """
    require_positive(decay_steps=total_steps - warmup_steps)
    if step < warmup_steps:
        return peak_lr * step / warmup_steps
    return peak_lr * _half_cosine((step - warmup_steps) / (total_steps - warmup_steps), 0.0)


def step_decay(
    epoch: int, *, initial_learning_rate: float, drop: float = 0.5, epochs_drop: int = 10
) -> float:
    """Return ``initial_learning_rate * drop ** (epoch // epochs_drop)``, for epoch 0, 1, ...

    For `keras.callbacks.LearningRateScheduler`, which passes the epoch index before each epoch.

    Example:
        >>> [step_decay(epoch, initial_learning_rate=0.5, epochs_drop=2) for epoch in range(5)]
        [0.5, 0.5, 0.25, 0.25, 0.125]

    Raises:
        ArgumentError: `epochs_drop` is not positive.
    """
    require_positive(epochs_drop=epochs_drop)
    return float(initial_learning_rate * drop ** (epoch // epochs_drop))


def constant(step: int, *, learning_rate: float) -> float:
    """Return `learning_rate` whatever the step."""
    del step
    return float(learning_rate)


SCHEDULES: Mapping[str, Callable[..., float]] = MappingProxyType(
    {
        function.__name__: function
        for function in (
            constant,
            exponential_decay,
            inverse_time_decay,
            polynomial_decay,
            piecewise_constant_decay,
            cosine_decay,
            cosine_decay_restarts,
            warmup_cosine,
            step_decay,
        )
    }
)
"""Every schedule by its kind."""


def learning_rate_at(kind: str, step: int, **arguments: object) -> float:
    """Return the learning rate at `step` of the schedule named `kind`.

    Args:
        kind: Keras' class name in snake case, such as "cosine_decay", or one of "constant",
            "warmup_cosine" and "step_decay".
        step: Optimizer step before the update, from 0; the epoch for "step_decay".
        **arguments: The schedule's arguments under Keras' names.

    Raises:
        ArgumentError: The kind or an argument is unknown, or an argument is missing.
    """
    require_known("kind", kind, tuple(SCHEDULES))
    schedule = SCHEDULES[kind]
    try:
        inspect.signature(schedule).bind(step, **arguments)
    except TypeError as error:
        msg = f"{kind} must be given its own arguments, got {sorted(arguments)}: {error}."
        raise ArgumentError(msg) from error
    return schedule(step, **arguments)


def _half_cosine(completed: float, alpha: float) -> float:
    cosine = 0.5 * (1.0 + math.cos(math.pi * min(completed, 1.0)))
    return (1.0 - alpha) * cosine + alpha
