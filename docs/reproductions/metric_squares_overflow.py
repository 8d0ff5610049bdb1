"""A metric computes errors in the dtype of the predictions, not in its own.

The dtype of a metric is documented as that of its computations, float32 by default. The square of
an error of 256 has no room in float16, so the mean is infinite; the loss of the same name is right.
"""

import sys

import keras
import numpy as np

targets, predictions = np.full((1, 1), 512.0, "float32"), np.zeros((1, 1), "float16")
metric = keras.metrics.MeanSquaredError()
metric.update_state(targets, predictions)

got, expected = float(metric.result()), float(keras.losses.MeanSquaredError()(targets, predictions))
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got != expected))
