"""A callback ends the process in the middle of an epoch."""
# finds: exit_in_training
# says: on_train_batch_end of Leaver raised SystemExit
# says: The script ended itself with status 3, by sys.exit at
# status: 3

import sys

import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.normal(size=(64, 4)).astype("float32")
y = x[:, :1] + 0.1 * np.random.normal(size=(64, 1)).astype("float32")


class Leaver(keras.callbacks.Callback):
    """Leaves."""

    def on_train_batch_end(self, batch, logs=None):
        if batch == 2:
            sys.exit(3)


model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.SGD(0.01), loss="mse")
model.fit(x, y, batch_size=8, epochs=3, callbacks=[Leaver()], verbose=0)
