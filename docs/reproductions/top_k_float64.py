"""TopKCategoricalAccuracy cannot be computed in float64.

dtype is documented as an argument of every metric. tf.math.in_top_k takes float32 only and Keras
does not cast to it.
"""

import sys

import keras
import numpy as np

metric = keras.metrics.TopKCategoricalAccuracy(k=1, dtype="float64")
try:
    metric.update_state(np.array([[0.0, 1.0]]), np.array([[0.25, 0.75]]))
    got = float(metric.result())
except Exception as error:  # noqa: BLE001 - TensorFlow's classes differ between modes
    got = type(error).__name__

expected = 1.0
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got != expected))
