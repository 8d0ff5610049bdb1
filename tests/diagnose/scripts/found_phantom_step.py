"""A dataset of unknown length: one update more than batches, and weight decay with it."""
# finds: phantom_step
# says: The optimizer counts 10 updates, 8 batches were trained
# says: weight decay is applied once more without a batch
# keras: <3.16

import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.normal(size=(64, 4)).astype("float32")
y = x[:, :1] + 0.1 * np.random.normal(size=(64, 1)).astype("float32")

import tensorflow as tf

data = tf.data.Dataset.from_tensor_slices((x, y)).filter(lambda *_: True).batch(16)
model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.AdamW(0.01, weight_decay=0.1), loss="mse")
model.fit(data, epochs=2, verbose=0)
