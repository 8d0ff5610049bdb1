"""One example holds a NaN."""
# finds: not_finite
# says: The data hold it: x: 1 of 256 values, first in row 37.
# says: The loss was nan at step 2 (epoch 1, batch 2)

import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.normal(size=(64, 4)).astype("float32")
y = x[:, :1] + 0.1 * np.random.normal(size=(64, 1)).astype("float32")

x[37, 2] = np.nan
model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.SGD(0.01), loss="mse")
model.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0)
