"""A generator as validation data is used up in the first epoch."""
# finds: validation_differs
# says: The generator gave 4 batches and ended.
# says: EarlyStopping, ReduceLROnPlateau and checkpoints of the best epoch follow the luck

import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.normal(size=(64, 4)).astype("float32")
y = x[:, :1] + 0.1 * np.random.normal(size=(64, 1)).astype("float32")


def held_out():
    for start in range(0, 64, 16):
        yield x[start : start + 16], y[start : start + 16]


model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.SGD(0.01), loss="mse")
model.fit(x, y, validation_data=held_out(), epochs=3, verbose=0)
