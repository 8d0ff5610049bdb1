"""A model in float8 cannot be trained with averages of its weights.

use_ema is documented for every optimizer, and float8 as a mode for training. The scales of float8
have no average, and the end of fit, where averages become the weights, reads one from each.
"""

import sys

import keras
import numpy as np

x = np.ones((16, 16), "float32")
model = keras.Sequential([keras.Input((16,)), keras.layers.Dense(16)])
model.quantize("float8")
model.compile(keras.optimizers.Adam(0.1, use_ema=True), "mse")
try:
    model.fit(x, x, verbose=0)
    got = "trained"
except Exception as error:  # noqa: BLE001 - any failure is the defect
    got = f"{type(error).__name__}: {error}".splitlines()[0]

expected = "trained"
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got != expected))
