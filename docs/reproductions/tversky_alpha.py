"""Tversky's alpha weighs false negatives, beta false positives.

The documentation has it the other way round: alpha is the coefficient of false positives. Here is
one hit and one false positive: the loss is 1 - 1 / (1 + alpha) = 0.5.
"""

import sys

import keras
import numpy as np

loss = keras.losses.Tversky(alpha=1.0, beta=0.0)

got, expected = float(loss(np.array([[1.0, 0.0]]), np.array([[1.0, 1.0]]))), 0.5
print("got:     ", got)
print("expected:", expected)
sys.exit(int(not np.isclose(got, expected, atol=1e-5)))
