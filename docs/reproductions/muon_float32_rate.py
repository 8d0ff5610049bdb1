"""Muon on float64 variables must take any schedule, as Adam and SGD do.

A piecewise constant rate is float32, and Muon multiplies with it as it is: the first step fails.
"""

import sys

import keras
import numpy as np

schedule = keras.optimizers.schedules.PiecewiseConstantDecay([1], [0.25, 0.125])


def first_step(optimizer: keras.optimizers.Optimizer) -> str:
    """What comes of one step on a float64 matrix."""
    variable = keras.Variable(np.ones((2, 2)), dtype="float64", name="kernel")
    optimizer.build([variable])
    try:
        optimizer.apply([keras.ops.convert_to_tensor(np.eye(2), dtype="float64")])
    except Exception as error:  # noqa: BLE001 - whichever error it is
        return type(error).__name__
    return "a step"


got = first_step(keras.optimizers.Muon(learning_rate=schedule))
print("got:     ", got)
print("expected:", first_step(keras.optimizers.Adam(learning_rate=schedule)))
sys.exit(int(got != "a step"))
