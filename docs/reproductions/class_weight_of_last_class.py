"""class_weight without the last class: a weight of 1 for arrays, an error for datasets.

Classes that class_weight leaves out weigh 1. For a dataset the weights are a table that ends with
the last class named, and a higher label is looked for beyond its end.
"""

import sys

import keras
import numpy as np
import tensorflow as tf

inputs, labels = np.ones([6, 2], "float32"), np.array([0, 1, 2, 0, 1, 2])
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model = keras.Sequential([keras.Input([2]), keras.layers.Dense(3)])
model.compile("sgd", loss)

of_arrays = model.fit(inputs, labels, class_weight={0: 2.0, 1: 0.5}, verbose=0)
print("arrays:  ", of_arrays.history)
try:
    dataset = tf.data.Dataset.from_tensor_slices((inputs, labels)).batch(6)
    of_dataset = model.fit(dataset, class_weight={0: 2.0, 1: 0.5}, verbose=0)
    print("dataset: ", of_dataset.history)
except tf.errors.InvalidArgumentError as error:
    print("dataset: ", type(error).__name__)
    print("expected: the same weights for both")
    sys.exit(1)
