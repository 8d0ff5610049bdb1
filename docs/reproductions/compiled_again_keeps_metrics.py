"""Compiling again without metrics goes on reporting the metrics of the first time.

compile documents metrics as those to be evaluated, None for none. Since 3.6 None leaves those in
place that were compiled before.
"""

import sys

import keras
import numpy as np

x, y = np.ones((8, 2)), np.ones((8, 1))
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
model.compile("sgd", "mse", metrics=["mae"])
model.compile("sgd", "mse")
got = sorted(model.evaluate(x, y, verbose=0, return_dict=True))

print("got:     ", got)
print("expected:", ["loss"])
sys.exit(int(got != ["loss"]))
