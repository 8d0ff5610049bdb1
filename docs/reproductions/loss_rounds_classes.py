"""A loss in half precision rounds class numbers.

Targets are cast to the dtype of the loss, class numbers too: in bfloat16 the class 257 is 256, and
the loss is that of a class that is not the true one.
"""

import sys

import keras
import numpy as np

output = np.full((1, 300), 0.001, "float32")
output[0, 257] = 1.0 - 0.001 * 299
try:
    loss = keras.losses.SparseCategoricalCrossentropy(dtype="bfloat16")
except TypeError:
    print("got:      no such argument in Keras", keras.__version__)
    print("expected: (nothing to check)")
    sys.exit(0)

got, expected = float(loss(np.array([257]), output)), float(-np.log(output[0, 257]))
print("got:     ", got)
print("expected:", expected)
sys.exit(int(not np.isclose(got, expected, rtol=0.02)))
