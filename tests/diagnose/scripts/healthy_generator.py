"""A generator without end with steps_per_epoch."""

import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.normal(size=(64, 4)).astype("float32")
y = x[:, :1] + 0.1 * np.random.normal(size=(64, 1)).astype("float32")


def batches():
    while True:
        chosen = np.random.randint(0, 64, 16)
        yield x[chosen], y[chosen]


model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
model.compile(optimizer="adam", loss="mse")
model.fit(batches(), steps_per_epoch=5, epochs=4, verbose=0)
