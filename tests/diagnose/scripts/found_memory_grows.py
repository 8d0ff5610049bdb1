"""A callback keeps what it should only look at."""
# finds: memory_grows
# says: Resident memory grew by
# says: Look for what lives on: tensors kept in a list

import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.normal(size=(64, 4)).astype("float32")
y = x[:, :1] + 0.1 * np.random.normal(size=(64, 1)).astype("float32")


class Keeper(keras.callbacks.Callback):
    """Keeps eight megabytes an epoch."""

    def __init__(self):
        super().__init__()
        self.kept = []

    def on_epoch_end(self, epoch, logs=None):
        self.kept.append(np.ones((1024, 1024)))


model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.SGD(0.01), loss="mse")
model.fit(x, y, epochs=14, callbacks=[Keeper()], verbose=0)
