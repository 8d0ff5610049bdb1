"""003: a callback stops training and says so, as it should."""
# finds: stopped_by_callback
# says: GoodEnough
# says: Nothing, if the condition is the one you meant.

import keras
import numpy as np

keras.utils.set_random_seed(1)


class GoodEnough(keras.callbacks.Callback):
    """Ends the training at a goal."""

    def on_epoch_end(self, epoch, logs=None):
        if logs["loss"] < 10.0:
            print("\nReached the goal, so the training ends.")
            self.model.stop_training = True


model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.SGD(0.01), loss="mse")
x = np.random.normal(size=(64, 4)).astype("float32")
model.fit(x, x[:, :1], epochs=10, callbacks=[GoodEnough()], verbose=0)
