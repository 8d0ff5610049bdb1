"""With unknown cardinality one update more is made than there are batches.

An epoch is documented to run until the input is exhausted, so there are as many updates as batches.
The train function runs once more on the empty iterator: it counts, and weight decay is applied.
"""

import sys

import keras
import numpy as np

model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
model.compile(keras.optimizers.SGD(0.5, weight_decay=0.5), "mse")
model.fit(((np.zeros((1, 1)), np.zeros((1, 1))) for _ in range(2)), verbose=0)

got = int(model.optimizer.iterations), float(model.get_weights()[0][0, 0])
expected = 2, 0.75**2
print("got:      updates and weight", got)
print("expected: updates and weight", expected)
sys.exit(int(got != expected))
