"""train_on_batch in a loop of one's own."""

import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.normal(size=(64, 4)).astype("float32")
y = x[:, :1] + 0.1 * np.random.normal(size=(64, 1)).astype("float32")

model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
model.compile(optimizer="adam", loss="mse")
for _ in range(4):
    for start in range(0, 64, 16):
        model.train_on_batch(x[start : start + 16], y[start : start + 16])
