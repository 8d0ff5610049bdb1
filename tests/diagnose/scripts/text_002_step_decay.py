"""002, example 1: step decay by LearningRateScheduler, as printed."""
# says: done     12 epochs, 48 steps

import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(1)
model = tf.keras.Sequential(
    [
        tf.keras.layers.Input((10,)),
        tf.keras.layers.Dense(10, activation="relu"),
        tf.keras.layers.Dense(1, activation="sigmoid"),
    ]
)
scheduler = tf.keras.callbacks.LearningRateScheduler(lambda epoch: 0.001 * 0.5 ** (epoch // 10))
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
x, y = np.random.rand(128, 10), np.random.randint(0, 2, 128)
model.fit(x, y, epochs=12, batch_size=32, callbacks=[scheduler], verbose=0)
