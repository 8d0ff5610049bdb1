"""Accuracies of half-precision predictions compare rounded class numbers.

The true and the predicted class number are cast to the dtype of the predictions before they are
compared: in bfloat16 the classes 256 and 257 are the same number. A miss counts as a hit.
"""

import sys

import keras
import numpy as np

predicted = keras.ops.cast(np.eye(300)[[256]], "bfloat16")
sparse = keras.metrics.SparseCategoricalAccuracy()
sparse.update_state(np.array([257]), predicted)
dense = keras.metrics.CategoricalAccuracy()
dense.update_state(np.eye(300)[[257]], predicted)

got, expected = [float(sparse.result()), float(dense.result())], [0.0, 0.0]
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got != expected))
