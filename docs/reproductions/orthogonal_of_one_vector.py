"""The orthogonal penalty of a single column is NaN.

It is documented as the mean of the products between different columns. One column alone has none,
and nothing to be orthogonal to: the sum of nothing is divided by no pairs.
"""

import sys

import keras
import numpy as np

regularizer = keras.regularizers.OrthogonalRegularizer(0.5, mode="columns")
got = float(regularizer(keras.ops.ones((3, 1))))
print("got:     ", got)
print("expected: 0.0")
sys.exit(int(np.isnan(got)))
