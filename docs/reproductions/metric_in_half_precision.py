"""A metric that a layer updates in its call overflows under mixed precision.

The variables of the metric are float32. Inside the call of a layer they are read in the layer's
compute dtype, so that a sum beyond 65504 is infinite, although nothing in it is half precision.
"""

import sys

import keras
import numpy as np


class Memory(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.seen = keras.metrics.Mean(name="seen")

    def call(self, inputs):
        self.seen.update_state(np.full(64, 512.0, "float32"))
        return inputs


keras.mixed_precision.set_dtype_policy("mixed_float16")
model = keras.Sequential([keras.Input((3,)), Memory(), keras.layers.Dense(1)])
model.compile("sgd", "mse")
logs = model.fit(np.ones((16, 3)), np.ones((16, 1)), batch_size=4, verbose=0).history
got, expected = logs["seen"][0], 512.0
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got != expected))
