"""A layer that is frozen after compile leaves its average to the layer behind it.

use_ema is documented to put the average of each weight into it at the end of training. The averages
are paired with the variables that are trainable then, by position.
"""

import sys

import keras
import numpy as np

model = keras.Sequential(
    [
        keras.Input((1,)),
        keras.layers.Dense(1, use_bias=False, kernel_initializer=keras.initializers.Constant(2.0)),
        keras.layers.Dense(1, use_bias=False, kernel_initializer=keras.initializers.Constant(5.0)),
    ]
)
model.compile(keras.optimizers.SGD(0.0, use_ema=True), "mse")
x = np.ones((4, 1))
model.fit(x, x, verbose=0)
model.layers[0].trainable = False
model.fit(x, x, verbose=0)

got, expected = float(model.get_weights()[1][0, 0]), 5.0
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got != expected))
