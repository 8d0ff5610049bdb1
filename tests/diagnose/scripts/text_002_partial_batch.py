"""002, scenario 2: the last batch holds one example only, whose loss stands out."""
# finds: final_step_spike tiny_last_batch
# says: The loss leaps in the final step, partial batch:
# says: it holds 1 of 16 examples

import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(1)
model = tf.keras.Sequential([tf.keras.layers.Input((4,)), tf.keras.layers.Dense(1)])
model.compile(optimizer=tf.keras.optimizers.SGD(0.001), loss="mse")
x = np.random.normal(size=(65, 4)).astype("float32")
y = x[:, :1].copy()
y[64:] += 30.0
model.fit(x, y, batch_size=16, epochs=6, shuffle=False, verbose=0)
