"""002, scenario 1: the last steps go too far."""
# finds: final_step_spike
# says: The loss leaps in the final step, overshoot:
# says: the last updates moved the weights

import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(1)
model = tf.keras.Sequential([tf.keras.layers.Input((4,)), tf.keras.layers.Dense(1)])
optimizer = tf.keras.optimizers.SGD(0.01)
model.compile(optimizer=optimizer, loss="mse")
x = np.random.normal(size=(64, 4)).astype("float32")
y = x[:, :1] + 0.1 * np.random.normal(size=(64, 1)).astype("float32")


class Restart(tf.keras.callbacks.Callback):
    """A warm restart that comes when nothing is left to be done."""

    def on_train_batch_begin(self, batch, logs=None):
        if int(self.model.optimizer.iterations) == 30:
            self.model.optimizer.learning_rate = 30.0


model.fit(x, y, batch_size=16, epochs=8, callbacks=[Restart()], verbose=0)
