"""A training argument given to one layer inside call also holds for the layers called after it.

Without an argument a layer is documented to take that of the outer call, here training=True. After
a sibling was called with training=False it takes that one, and a dropout drops nothing.
"""

import sys

import keras
import numpy as np


class Pair(keras.Model):
    """One layer in inference mode, and one in the mode of the model."""

    def __init__(self, *, frozen_first):
        super().__init__()
        self.frozen_first = frozen_first
        self.frozen = keras.layers.BatchNormalization()
        self.dropout = keras.layers.Dropout(0.5, seed=0)

    def call(self, inputs, training=None):
        if self.frozen_first:
            return self.dropout(self.frozen(inputs, training=False))
        return self.frozen(self.dropout(inputs), training=False)


x = np.ones((1, 100), "float32")
got, expected = (
    int(np.sum(Pair(frozen_first=first)(x, training=True).numpy() == 0)) for first in (True, False)
)
print("got:     ", got, "of 100 values dropped")
print("expected:", expected, "of 100 values dropped")
sys.exit(int(got != expected))
