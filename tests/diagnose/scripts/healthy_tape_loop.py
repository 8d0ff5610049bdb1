"""A loop of one's own, compiled, over a dataset."""

import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.normal(size=(64, 4)).astype("float32")
y = x[:, :1] + 0.1 * np.random.normal(size=(64, 1)).astype("float32")

import tensorflow as tf

model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
optimizer = keras.optimizers.Adam(0.01)
loss_fn = keras.losses.MeanSquaredError()


@tf.function
def train(features, target):
    with tf.GradientTape() as tape:
        loss = loss_fn(target, model(features, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


for _ in range(4):
    for features, target in tf.data.Dataset.from_tensor_slices((x, y)).batch(10):
        train(features, target)
