"""Slices of one row are clipped one by one, not their sum.

The slices of tf.IndexedSlices with the same index stand for their sum, and clipvalue is documented
to bound the gradient by it. 4 - 3 makes a gradient of 1 that needs no clipping; 1 - 1 is applied.
"""

import sys

import keras
import tensorflow as tf

weight = keras.Variable([[0.0]])
optimizer = keras.optimizers.SGD(1.0, clipvalue=1.0)
optimizer.build([weight])
optimizer.apply([tf.IndexedSlices(tf.constant([[4.0], [-3.0]]), [0, 0], [1, 1])], [weight])

got, expected = float(weight.numpy()[0, 0]), -1.0
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got != expected))
