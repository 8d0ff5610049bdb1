"""001, example 1: fit without batch_size takes 32 examples a step, not one."""
# says: 96 examples of 4 in memory, 3 batches of 32, Keras' default
# says: done     2 epochs, 6 steps

import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(1)
model = tf.keras.Sequential([tf.keras.layers.Input((4,)), tf.keras.layers.Dense(1)])
model.compile(optimizer=tf.keras.optimizers.SGD(0.01), loss="mse")
x = np.random.normal(size=(96, 4)).astype("float32")
model.fit(x, x[:, :1], epochs=2, verbose=0)
