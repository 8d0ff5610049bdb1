"""R2Score with num_regressors counts a sample once for every output.

The adjusted score is documented in terms of the number of samples. Two equal outputs must have
the score of one; the adjustment comes out too small.
"""

import sys

import keras
import numpy as np

target = np.array([[1.0], [2.0], [3.0], [4.0]], "float32")
output = np.array([[1.0], [3.0], [2.0], [4.0]], "float32")
scores = []
for outputs in (2, 1):
    metric = keras.metrics.R2Score(num_regressors=1)
    metric.update_state(np.repeat(target, outputs, 1), np.repeat(output, outputs, 1))
    scores.append(float(metric.result()))

got, expected = scores
print("got:     ", got)
print("expected:", expected)
sys.exit(int(not np.isclose(got, expected)))
