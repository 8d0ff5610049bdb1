"""A tf.function with a Python number among its arguments is traced anew for each."""
# finds: retracing
# says: The step was traced 20 times for 20 steps.

import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.normal(size=(64, 4)).astype("float32")
y = x[:, :1] + 0.1 * np.random.normal(size=(64, 1)).astype("float32")

import tensorflow as tf

model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
optimizer = keras.optimizers.SGD(0.01)
optimizer.build(model.trainable_variables)


@tf.function
def train(features, target, number):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((model(features) - target) ** 2) * (1.0 + 0.0 * number)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))


for number in range(20):
    train(x, y, number)
