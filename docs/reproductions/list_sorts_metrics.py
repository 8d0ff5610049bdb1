"""A list of results holds the metrics of several outputs in the order of the alphabet.

It is documented to correspond to the order of metrics in `compile`. The losses of the outputs are
in the order of the outputs, their metrics are sorted by name.
"""

import sys

import keras
import numpy as np

inputs = keras.Input((1,))
outputs = [keras.layers.Activation("linear", name=name)(inputs) for name in ("zeta", "alpha")]
model = keras.Model(inputs, outputs)
model.compile(loss=["mse", "mse"], metrics=[["mae"], ["mae"]])
zeros, targets = np.zeros((2, 1)), [np.full((2, 1), 1.0), np.full((2, 1), 2.0)]

got = [float(value) for value in model.test_on_batch(zeros, targets)]
named = model.test_on_batch(zeros, targets, return_dict=True)
order = ("loss", "zeta_loss", "alpha_loss", "zeta_mae", "alpha_mae")
expected = [float(named[name]) for name in order]
print("got:     ", got)
print("expected:", expected)
sys.exit(int(not np.allclose(got, expected)))
