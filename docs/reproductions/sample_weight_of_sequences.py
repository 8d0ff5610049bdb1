"""A weight per sample weighs positions where an output has an axis of positions.

The documentation of fit and evaluate takes a flat array of one weight per sample. With as many
positions as samples the weights silently meet the positions; otherwise the shapes don't fit.
"""

import sys

import keras
import numpy as np

model = keras.Sequential([keras.Input((2, 1)), keras.layers.Identity()])
model.compile(loss="mse")
outputs = np.array([[[1.0], [1.0]], [[3.0], [3.0]]])
try:
    got = model.evaluate(
        outputs, np.zeros_like(outputs), sample_weight=np.array([1.0, 0.0]), verbose=0
    )
except ValueError as error:
    got = str(error)

expected = 0.5
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got != expected))
