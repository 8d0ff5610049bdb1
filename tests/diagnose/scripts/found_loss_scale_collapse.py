"""A loss whose gradients are never finite halves the scale until nothing is left."""
# finds: loss_scale_collapsed
# says: The loss scale fell from 32768 to
# says: Look for the NaN under float32 first

import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.normal(size=(64, 4)).astype("float32")
y = x[:, :1] + 0.1 * np.random.normal(size=(64, 1)).astype("float32")

import tensorflow as tf

keras.mixed_precision.set_global_policy("mixed_float16")


@tf.custom_gradient
def spoilt(value):
    return value, lambda upstream: upstream * float("inf")


def loss(y_true, y_pred):
    return spoilt(keras.losses.mean_squared_error(y_true, tf.cast(y_pred, "float32")))


model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.SGD(0.01), loss=loss)
model.fit(x, y, batch_size=16, epochs=6, verbose=0)
