"""mixed_float16 with dynamic loss scaling and an output in float32."""

import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.normal(size=(64, 4)).astype("float32")
y = x[:, :1] + 0.1 * np.random.normal(size=(64, 1)).astype("float32")

keras.mixed_precision.set_global_policy("mixed_float16")
model = keras.Sequential(
    [
        keras.layers.Input((4,)),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dense(1, dtype="float32"),
    ]
)
model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse", metrics=["mae"])
model.fit(x, y, epochs=5, batch_size=16, verbose=0)
