"""A loss that is made anew from its configuration computes in another dtype.

get_config is documented to return what an object is made anew from; the dtype, an argument of
every loss, is not in it.
"""

import sys

import keras

loss = keras.losses.MeanSquaredError(dtype="float64")
again = keras.losses.deserialize(keras.losses.serialize(loss))

got, expected = again.dtype, loss.dtype
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got != expected))
