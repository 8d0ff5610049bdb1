"""The loss CosineSimilarity made anew from its configuration has the default axis.

get_config is documented to return what an object is made anew from; axis is not in it, so that a
loaded model trains on with another loss.
"""

import sys

import keras
import numpy as np

target, output = np.array([[1.0, 0.0], [1.0, 0.0]]), np.ones((2, 2))
loss = keras.losses.CosineSimilarity(axis=0)
again = keras.losses.deserialize(keras.losses.serialize(loss))

got, expected = float(again(target, output)), float(loss(target, output))
print("got:     ", got)
print("expected:", expected)
sys.exit(int(not np.isclose(got, expected)))
