"""A shuffled, mapped, prefetched dataset, and one that repeats with steps_per_epoch."""

import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.normal(size=(64, 4)).astype("float32")
y = x[:, :1] + 0.1 * np.random.normal(size=(64, 1)).astype("float32")

import tensorflow as tf

data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(64).map(lambda a, b: (a * 1.0, b))
held_out = tf.data.Dataset.from_tensor_slices((x, y)).batch(16)
model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
model.compile(optimizer="adam", loss="mse")
model.fit(data.batch(16).prefetch(2), validation_data=held_out, epochs=5, verbose=0)
model.fit(data.repeat().batch(16), steps_per_epoch=3, epochs=5, verbose=0)
