"""With several steps per execution an epoch trains on more batches than steps_per_epoch.

compile documents that an execution is cut to the size of the epoch. It always runs all its steps;
tests of Keras encode that.
"""

import sys

import keras
import numpy as np

model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
model.compile("sgd", "mse", steps_per_execution=2)
model.fit(np.ones((6, 1)), np.ones((6, 1)), batch_size=1, steps_per_epoch=3, verbose=0)

got, expected = int(model.optimizer.iterations), 3
print("got:      updates", got)
print("expected: updates", expected)
sys.exit(int(got != expected))
