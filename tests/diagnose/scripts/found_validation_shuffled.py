"""Validation on a part of a shuffled dataset: another part in every epoch."""
# finds: validation_differs
# says: 3 different sets of data were validated on in 3 epochs
# says: .take(n) before .shuffle()

import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.normal(size=(64, 4)).astype("float32")
y = x[:, :1] + 0.1 * np.random.normal(size=(64, 1)).astype("float32")

import tensorflow as tf

held_out = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(64).batch(16)
model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.SGD(0.01), loss="mse")
model.fit(x, y, validation_data=held_out, validation_steps=2, epochs=3, verbose=0)
