"""001, example 2: a function of the epoch as Adam's learning rate."""
# finds: rate_takes_no_argument
# says: A function given as learning_rate is called without arguments, at every step.
# says: Hand a function of the epoch to keras.callbacks.LearningRateScheduler

import math

import numpy as np
import tensorflow as tf

model = tf.keras.Sequential([tf.keras.layers.Input((4,)), tf.keras.layers.Dense(1)])


def lr_schedule(epoch):
    return 0.001 * math.exp(-epoch / 10)


model.compile(optimizer=tf.keras.optimizers.Adam(learning_rate=lr_schedule), loss="mse")
x = np.ones((32, 4), "float32")
model.fit(x, x[:, :1], epochs=2, verbose=0)
