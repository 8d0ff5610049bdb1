"""Shapes that do not fit: the user's own line is named."""
# finds: exception
# says: raised ValueError at tests/diagnose/scripts/found_error_in_data.py:15
# status: 1

import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.normal(size=(64, 4)).astype("float32")
y = x[:, :1] + 0.1 * np.random.normal(size=(64, 1)).astype("float32")

model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.SGD(0.01), loss="mse")
model.fit(x[:, :3], y, epochs=3, verbose=0)
