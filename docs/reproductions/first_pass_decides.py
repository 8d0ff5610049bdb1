"""The number of batches of the first epoch cuts every later, longer one.

Without steps_per_epoch an epoch is documented to run until the input is exhausted. The rest of a
pass that is longer than the first is dropped without a warning.
"""

import sys

import keras
import numpy as np
import tensorflow as tf

lengths = iter((2, 3, 4))
steps = []


def batches():
    """One pass, longer than the last."""
    for _ in range(next(lengths)):
        yield np.ones((1, 1)), np.ones((1, 1))


spec = tf.TensorSpec((1, 1))
data = tf.data.Dataset.from_generator(batches, output_signature=(spec, spec))
count = keras.callbacks.LambdaCallback(
    on_epoch_begin=lambda epoch, logs=None: steps.append(0),
    on_train_batch_end=lambda batch, logs=None: steps.append(steps.pop() + 1),
)
model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(data, epochs=3, verbose=0, callbacks=[count])

got, expected = steps, [2, 3, 4]
print("got:      steps by epoch", got)
print("expected: steps by epoch", expected)
sys.exit(int(got != expected))
