"""A kernel in float64 takes the penalty of OrthogonalRegularizer, as it takes any other.

The documentation knows of no precision that the penalty needs. Its factor is kept in float32 and
never cast, so that TensorFlow refuses to multiply by it.
"""

import sys

import keras
import numpy as np
import tensorflow as tf

kernel = np.ones((2, 2))
penalty = keras.regularizers.OrthogonalRegularizer(0.5)
expected = 0.5  # both rows are (1, 1): their product is 1 where each has length 1

try:
    got = float(penalty(keras.ops.convert_to_tensor(kernel, dtype="float64")))
except tf.errors.InvalidArgumentError as error:
    print("got:     ", f"{type(error).__name__}: {str(error)[:90]}")
    print("expected:", expected)
    sys.exit(1)
print("got:     ", got)
print("expected:", expected)
sys.exit(int(not np.isclose(got, expected)))
