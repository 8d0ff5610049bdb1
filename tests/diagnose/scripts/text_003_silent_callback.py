"""003: a callback stops training silently, 3 of 10 epochs ran."""
# finds: stopped_silently
# says: Impatient (made at tests/diagnose/scripts/text_003_silent_callback.py:30) set
# says: in on_epoch_end at tests/diagnose/scripts/text_003_silent_callback.py:24
# says: 3 of 10 epochs done, and it said nothing

import keras
import numpy as np

keras.utils.set_random_seed(1)


class Impatient(keras.callbacks.Callback):
    """Takes a slow improvement for none."""

    best = float("inf")

    def on_epoch_end(self, epoch, logs=None):
        if self.best - logs["loss"] > 1.0:
            self.best = logs["loss"]
        elif epoch < 2:
            self.best = min(self.best, logs["loss"])
        else:
            self.model.stop_training = True


model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.SGD(0.01), loss="mse")
x = np.random.normal(size=(64, 4)).astype("float32")
model.fit(x, x[:, :1], epochs=10, callbacks=[Impatient()], verbose=0)
