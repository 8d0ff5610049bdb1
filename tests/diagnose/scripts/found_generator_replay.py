"""A generator that gives one epoch only; every further epoch plays its first two batches."""
# finds: dataset_replay
# says: The generator gave 4 batches and ended
# says: Let the generator go on without end and give steps_per_epoch

import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.normal(size=(64, 4)).astype("float32")
y = x[:, :1] + 0.1 * np.random.normal(size=(64, 1)).astype("float32")


def batches():
    for start in range(0, 64, 16):
        yield x[start : start + 16], y[start : start + 16]


model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.SGD(0.01), loss="mse")
model.fit(batches(), epochs=5, verbose=0)
