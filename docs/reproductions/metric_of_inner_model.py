"""A metric that belongs to a nested model is neither reported nor reset.

A model is documented to be usable as a layer, and metrics of layers enter the logs and start anew
each epoch. Those of a nested model are left out, and go on counting over all epochs.
"""

import sys

import keras
import numpy as np


def train(base):
    """Give the logs, and the updates in the metric of an inner object, after 2 epochs."""

    class Inner(base):
        def __init__(self):
            super().__init__()
            self.seen = keras.metrics.Mean(name="seen")

        def call(self, inputs):
            self.seen.update_state(1.0)
            return inputs

    inner = Inner()
    model = keras.Sequential([keras.Input((3,)), inner, keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(np.ones((8, 3)), np.ones((8, 1)), epochs=2, verbose=0).history
    return sorted(history), float(inner.seen.count.numpy())


got, expected = train(keras.Model), train(keras.layers.Layer)
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got != expected))
