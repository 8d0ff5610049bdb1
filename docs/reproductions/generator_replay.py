"""After a generator has ended each further epoch trains on its first two batches again.

A generator that has ended has no more batches to give, and fit is documented to stop when its input
runs out. The two that were drawn ahead to learn their form are trained on again.
"""

import sys
import warnings

import keras
import numpy as np

warnings.simplefilter("ignore")
steps = []
count = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs=None: steps.append(1))
model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(
    ((np.ones((1, 1)), np.ones((1, 1))) for _ in range(4)), epochs=3, verbose=0, callbacks=[count]
)

got, expected = len(steps), 4
print("got:      batches trained", got)
print("expected: batches trained", expected)
sys.exit(int(got != expected))
