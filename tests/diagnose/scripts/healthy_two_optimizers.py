"""Two models against each other, each with an optimizer of its own."""

import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.normal(size=(64, 4)).astype("float32")
y = x[:, :1] + 0.1 * np.random.normal(size=(64, 1)).astype("float32")

import tensorflow as tf

maker = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(4)])
judge = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
of_maker, of_judge = keras.optimizers.Adam(0.01), keras.optimizers.Adam(0.01)
loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)


@tf.function
def step(real):
    noise = tf.random.normal((16, 2))
    with tf.GradientTape() as first, tf.GradientTape() as second:
        fake = judge(maker(noise))
        made = loss_fn(tf.ones_like(fake), fake)
        judged = loss_fn(tf.ones_like(fake), judge(real)) + loss_fn(tf.zeros_like(fake), fake)
    for tape, loss, model, optimizer in (
        (first, made, maker, of_maker),
        (second, judged, judge, of_judge),
    ):
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))


for index in range(16):
    step(x[:16])
