"""Batches of a fixed size and an unknown end: the mean of the first epoch counts one too many."""
# finds: phantom_batch_in_metrics phantom_step
# says: The difference is a batch of 16 that was never there.
# keras: <3.16

import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.normal(size=(64, 4)).astype("float32")
y = x[:, :1] + 0.1 * np.random.normal(size=(64, 1)).astype("float32")

import tensorflow as tf

data = tf.data.Dataset.from_tensor_slices((x, y)).filter(lambda *_: True)
model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.SGD(0.01), loss="mse")
model.fit(data.batch(16, drop_remainder=True), epochs=2, verbose=0)
