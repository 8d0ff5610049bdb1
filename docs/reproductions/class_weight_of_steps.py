"""Class weights fail for labels of single steps in arrays, and work for the same in a dataset.

fit documents class_weight for targets of rank 2 or greater with a last axis of 1. For arrays each
example is read as if it were one number.
"""

import sys

import keras
import numpy as np
import tensorflow as tf

inputs, labels = np.ones((4, 3, 2), "float32"), np.zeros((4, 3, 1), "int32")
data = tf.data.Dataset.from_tensor_slices((inputs, labels)).batch(4)


def loss(*given):
    """Train one epoch; the loss, or how it failed."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3, 2)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy")
    try:
        history = model.fit(*given, batch_size=None, class_weight={0: 2.0, 1: 1.0}, verbose=0)
    except TypeError as error:
        return f"TypeError: {error}"
    return round(history.history["loss"][0], 4)


got, expected = loss(inputs, labels), loss(data)
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got != expected))
