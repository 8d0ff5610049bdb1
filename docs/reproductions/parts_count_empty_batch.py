"""The losses of single outputs count a batch that is not there.

That a source of unknown length is at its end is found out by one more call of the train function.
The loss of all outputs weighs each batch by its size, their own don't: the empty one counts as 0.
"""

import sys

import keras
import numpy as np
import tensorflow as tf

x = np.ones((8, 1))
inputs = keras.Input((1,))
outputs = [keras.layers.Dense(1, name=name, kernel_initializer="zeros")(inputs) for name in "ab"]
model = keras.Model(inputs, outputs)
model.compile(keras.optimizers.SGD(0.0), ["mse", "mse"], jit_compile=False)
data = tf.data.Dataset.from_tensor_slices((x, (x, x))).batch(4).filter(lambda *_: True)

logs = model.evaluate(data, return_dict=True, verbose=0)
got = {key: round(float(value), 6) for key, value in logs.items()}
expected = {"a_loss": 1.0, "b_loss": 1.0, "loss": 2.0}
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got != expected))
