"""Adafactor(relative_step=False) has no effect.

Without relative_step the learning rate is documented to be used as it is. It is capped by one over
the root of the step a second time; a row of values in the tests of Keras has that.
"""

import sys

import keras
import numpy as np

weights = []
for relative in (False, True):
    weight = keras.Variable([1.0])
    optimizer = keras.optimizers.Adafactor(10.0, relative_step=relative)
    optimizer.build([weight])
    for _ in range(3):
        optimizer.apply([keras.ops.ones(1)], [weight])
    weights.append(float(weight.numpy()[0]))

got, capped = weights
print("got:     ", got)
print("expected: anything but the capped", capped)
sys.exit(int(np.isclose(got, capped)))
