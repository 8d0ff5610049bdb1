"""002, example 2: the validation loss rises while the training loss falls."""
# finds: overfitting
# says: The model learns the training data by heart: val_loss rose from

import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(1)
model = tf.keras.Sequential(
    [
        tf.keras.layers.Input((10,)),
        tf.keras.layers.Dense(64, activation="relu"),
        tf.keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(optimizer=tf.keras.optimizers.Adam(0.02), loss="binary_crossentropy")
x = np.random.normal(size=(60, 10)).astype("float32")
y = np.random.randint(0, 2, (60, 1))
model.fit(x[:40], y[:40], validation_data=(x[40:], y[40:]), epochs=25, verbose=0)
