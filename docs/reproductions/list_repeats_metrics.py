"""A list of results repeats metrics of one name and is longer than the dictionary.

The values of a list are looked up by the names of the metrics. Of a metric that is asked for plain
and weighted, the plain value stands there twice, before the weighted one.
"""

import sys

import keras
import numpy as np

inputs = keras.Input((1,))
model = keras.Model(inputs, keras.layers.Activation("linear")(inputs))
model.compile(loss="mse", metrics=["mae"], weighted_metrics=["mae"])
arrays = np.array([[1.0], [2.0]]), np.zeros((2, 1)), np.array([1.0, 3.0])

got = [float(value) for value in model.test_on_batch(*arrays)]
named = model.test_on_batch(*arrays, return_dict=True)
expected = [float(named[name]) for name in ("loss", "mae", "weighted_mae")]
print("got:     ", got)
print("expected:", expected)
sys.exit(int(not (len(got) == len(expected) and np.allclose(got, expected))))
