"""002, scenario 2: the last batch of every epoch is an outlier."""
# finds: final_step_spike
# says: The loss leaps in the final step, outlier batch:
# says: the same batch stood out in 5 of 5 earlier epochs

import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(1)
model = tf.keras.Sequential([tf.keras.layers.Input((4,)), tf.keras.layers.Dense(1)])
model.compile(optimizer=tf.keras.optimizers.SGD(0.001), loss="mse")
x = np.random.normal(size=(64, 4)).astype("float32")
y = x[:, :1].copy()
y[48:] += 30.0
model.fit(x, y, batch_size=16, epochs=6, shuffle=False, verbose=0)
