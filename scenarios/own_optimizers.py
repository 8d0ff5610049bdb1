# ruff: noqa: INP001, TID253 - no package, and loaded by the scenarios that name it
"""Optimizers of one's own that Keras should treat alike; scenarios show where it does."""

from __future__ import annotations

import keras

__all__ = ["scaled_within", "told_its_rate"]


def scaled_within(factor: float) -> keras.optimizers.Optimizer:
    """A loss-scaling optimizer around one that has a fixed factor for the same purpose.

    Args:
        factor: 0 is none.
    """
    inner = keras.optimizers.SGD(0.125, loss_scale_factor=factor or None)
    return keras.optimizers.LossScaleOptimizer(inner, initial_scale=4.0)


def told_its_rate(way: str) -> keras.optimizers.Optimizer:
    """A momentum optimizer whose rate never changes.

    Args:
        way: `number`, `function` without arguments, or `schedule`.
    """
    rates = {
        "number": 0.125,
        "function": lambda: 0.125,
        "schedule": keras.optimizers.schedules.PiecewiseConstantDecay([1000], [0.125, 0.5]),
    }
    return keras.optimizers.SGD(rates[way], momentum=0.5)
