"""With unknown cardinality each pass calls the hook of one batch that does not exist.

on_train_batch_end and its twins are documented as the ends of what their begins announce. Begin is
called before it is known whether there is a batch; where there is none, no end follows.
"""

import sys

import keras
import numpy as np
import tensorflow as tf

calls = dict.fromkeys(("train begin", "train end", "test begin", "test end"), 0)


class Count(keras.callbacks.Callback):
    """Count the hooks."""

    def on_train_batch_begin(self, batch, logs=None):
        calls["train begin"] += 1

    def on_train_batch_end(self, batch, logs=None):
        calls["train end"] += 1

    def on_test_batch_begin(self, batch, logs=None):
        calls["test begin"] += 1

    def on_test_batch_end(self, batch, logs=None):
        calls["test end"] += 1


data = tf.data.Dataset.from_tensor_slices((np.ones((3, 1, 1)), np.ones((3, 1, 1))))
data = data.filter(lambda *_: True)
model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(data, verbose=0, callbacks=[Count()])
model.evaluate(data, verbose=0, callbacks=[Count()])

print("got:     ", calls)
print("expected:", dict.fromkeys(calls, 3))
sys.exit(int(set(calls.values()) != {3}))
