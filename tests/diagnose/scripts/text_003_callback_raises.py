"""003, example 3: the callback raises, the script catches it and says only half of it."""
# finds: callback_error
# says: on_epoch_end of EarlyStopping raised ValueError at
# says: text_003_callback_raises.py:27: Custom error message.
# says: The script caught it and went on.

import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(1)


class EarlyStopping(tf.keras.callbacks.Callback):
    """Takes no improvement of 0.001 for none at all, and then raises."""

    def __init__(self, patience=1, min_delta=100.0):
        super().__init__()
        self.patience, self.min_delta, self.wait, self.best_loss = patience, min_delta, 0, np.inf

    def on_epoch_end(self, epoch, logs=None):
        if (self.best_loss - logs.get("loss")) > self.min_delta:
            self.best_loss, self.wait = logs.get("loss"), 0
        else:
            self.wait += 1
            if self.wait > self.patience:
                self.model.stop_training = True
                raise ValueError("Custom error message")


x = tf.random.normal((64, 4))
train_ds = tf.data.Dataset.from_tensor_slices((x, x[:, :1])).shuffle(64).batch(16).repeat()
model = tf.keras.Sequential([tf.keras.layers.Input((4,)), tf.keras.layers.Dense(1)])
model.compile(optimizer=tf.keras.optimizers.SGD(0.01), loss="mse")
try:
    model.fit(train_ds, epochs=10, steps_per_epoch=4, callbacks=[EarlyStopping()], verbose=0)
except ValueError:
    print("Value Error Detected, training stop prematurely")
