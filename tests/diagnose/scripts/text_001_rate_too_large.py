"""001: an excessively large learning rate diverges."""
# finds: not_finite
# says: The loss had risen from
# says: Lower the learning rate, or limit the updates with global_clipnorm=1.0.

import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(1)
model = tf.keras.Sequential([tf.keras.layers.Input((4,)), tf.keras.layers.Dense(1)])
model.compile(optimizer=tf.keras.optimizers.SGD(3.0), loss="mse")
x = np.random.normal(size=(96, 4)).astype("float32")
model.fit(x, x[:, :1], epochs=30, batch_size=32, verbose=0)
