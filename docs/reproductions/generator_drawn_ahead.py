"""A fit with steps_per_epoch takes more batches out of a generator than it trains on.

A caller may expect the next fit to go on where this one stopped; batches are drawn ahead and lost.
The documentation promises nothing about what is left in a generator.
"""

import sys

import keras
import numpy as np

drawn = []


def batches():
    """Eight batches."""
    for number in range(8):
        drawn.append(number)
        yield np.ones((1, 1)), np.ones((1, 1))


model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(batches(), steps_per_epoch=1, verbose=0)

got, expected = len(drawn), 1
print("got:      batches drawn", got, "or more")
print("expected: batches drawn", expected)
sys.exit(int(got != expected))
