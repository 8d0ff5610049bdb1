"""A layer that gets initial states beside a masked text leaves out the padding all the same.

keras.layers.LSTM documents that it supports masking, and the guide on masking that the mask of an
Embedding with mask_zero=True reaches every layer behind it. A call with initial states, as of an
encoder's decoder, reads the padding instead.
"""

import sys

import keras
import numpy as np

text = keras.layers.Embedding(4, 2, mask_zero=True)
layer, first = keras.layers.LSTM(2), keras.ops.ones((1, 2))


def read(tokens):
    return np.asarray(layer(text(np.array([tokens])), initial_state=[first, first]))


got, expected = read([1, 2, 0, 0]), read([1, 2])
print("got:     ", got)
print("expected:", expected)
sys.exit(int(not np.allclose(got, expected)))
