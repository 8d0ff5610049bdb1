"""The metric CosineSimilarity made anew from its configuration measures along the last axis.

get_config is documented to return what an object is made anew from; axis is not in it.
"""

import sys

import keras
import numpy as np

metric = keras.metrics.CosineSimilarity(axis=0)
again = keras.metrics.deserialize(keras.metrics.serialize(metric))
results = []
for each in (again, metric):
    each.update_state(np.array([[1.0, 0.0], [1.0, 0.0]]), np.ones((2, 2)))
    results.append(float(each.result()))

got, expected = results
print("got:     ", got)
print("expected:", expected)
sys.exit(int(not np.isclose(got, expected)))
