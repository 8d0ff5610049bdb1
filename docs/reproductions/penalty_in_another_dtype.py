"""A model with a penalty on weights of another dtype than floatx cannot be trained.

dtype and kernel_regularizer are documented as arguments of every such layer, and nothing says that
they exclude each other. fit adds the penalty to the loss as it is, and the two dtypes do not add.
"""

import sys

import keras
import numpy as np

x = np.ones((8, 3), "float32")
layer = keras.layers.Dense(1, dtype="float64", kernel_regularizer="l2", kernel_initializer="ones")
model = keras.Sequential([keras.Input((3,)), layer])
model.compile("sgd", "mse")
try:
    got = round(model.fit(x, x[:, :1], verbose=0).history["loss"][0], 4)
except Exception as error:  # noqa: BLE001 - any failure is the defect
    got = f"{type(error).__name__}: {error}".splitlines()[0]

expected = 4.03  # (3 - 1)^2, and 0.01 for each of the three weights
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got != expected))
