"""001, example 3: EarlyStopping does what it is for; the report says when and on what grounds."""
# finds: stopped_early
# says: EarlyStopping (made at tests/diagnose/scripts/text_001_early_stopping.py:14) ended
# says: the model keeps the weights of the last epoch, not the best ones

import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(1)
model = tf.keras.Sequential([tf.keras.layers.Input((4,)), tf.keras.layers.Dense(1)])
model.compile(optimizer=tf.keras.optimizers.SGD(0.2), loss="mse")
x = np.random.normal(size=(64, 4)).astype("float32")
y = x[:, :1] + 0.1 * np.random.normal(size=(64, 1)).astype("float32")
stopping = tf.keras.callbacks.EarlyStopping(monitor="val_loss", patience=2, min_delta=1e-3)
model.fit(
    x[:48], y[:48], validation_data=(x[48:], y[48:]), epochs=40, callbacks=[stopping], verbose=0
)
