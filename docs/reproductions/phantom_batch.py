"""With unknown cardinality and a static batch size every mean counts one batch too many.

The loss of evaluate is documented as the mean over the data. The call that finds the end of the
dataset adds its static batch size to the count.
"""

import sys

import keras
import numpy as np
import tensorflow as tf

model = keras.Sequential([keras.Input((1,)), keras.layers.Identity()])
model.compile(loss="mse")
data = tf.data.Dataset.from_tensor_slices((np.ones((4, 2, 1)), np.zeros((4, 2, 1))))

got, expected = model.evaluate(data.filter(lambda *_: True), verbose=0), 1.0
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got != expected))
