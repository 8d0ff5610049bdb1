"""The metric SparseCategoricalCrossentropy counts ignored labels as losses of 0.

ignore_class is documented to ignore a class in the computation, and the loss of the same name
does. In the metric an ignored label still enters the mean.
"""

import sys

import keras
import numpy as np

labels, output = np.array([0, 1]), np.full((2, 2), 0.5, "float32")
try:
    metric = keras.metrics.SparseCategoricalCrossentropy(ignore_class=1)
except TypeError:
    print("got:      no such argument in Keras", keras.__version__)
    print("expected: (nothing to check)")
    sys.exit(0)
metric.update_state(labels, output)

got, expected = float(metric.result()), float(np.log(2.0))
print("got:     ", got)
print("expected:", expected)
sys.exit(int(not np.isclose(got, expected)))
