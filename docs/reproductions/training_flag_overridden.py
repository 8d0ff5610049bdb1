"""The training argument of a call in a functional graph gives way to the flag of the outer model.

An argument passed to the call is documented to come before that of an outer call, and the guide on
transfer learning relies on it. In fit the nested model is called with training=True regardless.
"""

import sys

import keras
import numpy as np

x = np.random.default_rng(0).random((8, 3), "float32") + 5
normalization = keras.layers.BatchNormalization()
inner_input, outer_input = keras.Input((3,)), keras.Input((3,))
base = keras.Model(inner_input, normalization(inner_input))
output = keras.layers.Dense(1)(base(outer_input, training=False))
model = keras.Model(outer_input, output)
model.compile("sgd", "mse")
model.fit(x, x[:, :1], verbose=0)

got, expected = normalization.moving_mean.numpy().tolist(), [0.0, 0.0, 0.0]
print("got:      moving mean", got)
print("expected: moving mean", expected)
sys.exit(int(got != expected))
