"""ScheduleFreeAdamW that is built by its first step in fit forgets the weights of the model.

An optimizer is documented to be built by its first step as well as by hand. The copy that build
makes of the weights is not carried out inside a graph: the fast weights start at 0.
"""

import sys

import keras
import numpy as np

if not hasattr(keras.optimizers, "ScheduleFreeAdamW"):
    print("got:      no such optimizer in Keras", keras.__version__)
    print("expected: (nothing to check)")
    sys.exit(0)
weights = []
for before in (False, True):
    five = keras.initializers.Constant(5.0)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer=five)])
    optimizer = keras.optimizers.ScheduleFreeAdamW(0.125)
    if before:
        optimizer.build(model.trainable_variables)
    model.compile(optimizer, "mse", jit_compile=False)
    model.fit(np.ones((1, 1)), np.full((1, 1), 9.0), verbose=0)
    weights.append(float(model.get_weights()[0][0, 0]))

got, expected = weights
print("got:     ", got)
print("expected:", expected)
sys.exit(int(not np.isclose(got, expected, atol=1e-4)))
