"""Slices of one row are squared one by one, not their sum.

The slices of tf.IndexedSlices with the same index stand for their sum. 2 - 1 makes a gradient of 1
and an Adagrad accumulator of 1, not of 5: an embedding whose batch repeats a token takes this path.
"""

import sys

import keras
import numpy as np
import tensorflow as tf

weights = []
slices = tf.IndexedSlices(tf.constant([[2.0], [-1.0]]), [0, 0], [1, 1])
for gradient in (slices, tf.constant([[1.0]])):
    weight = keras.Variable([[0.0]])
    optimizer = keras.optimizers.Adagrad(1.0, initial_accumulator_value=0.0)
    optimizer.build([weight])
    optimizer.apply([gradient], [weight])
    weights.append(float(weight.numpy()[0, 0]))

got, expected = weights
print("got:     ", got)
print("expected:", expected)
sys.exit(int(not np.isclose(got, expected)))
