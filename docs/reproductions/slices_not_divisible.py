"""loss_scale_factor fails for every model with an embedding.

The argument is documented to divide the gradients before they are applied. Those of an embedding
are tf.IndexedSlices, which Python's operator cannot divide.
"""

import sys

import keras
import tensorflow as tf

weight = keras.Variable([[0.0]])
optimizer = keras.optimizers.SGD(1.0, loss_scale_factor=2.0)
optimizer.build([weight])
try:
    optimizer.apply([tf.IndexedSlices(tf.constant([[2.0]]), [0], [1, 1])], [weight])
    got = float(weight.numpy()[0, 0])
except TypeError as error:
    got = type(error).__name__

expected = -1.0
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got != expected))
