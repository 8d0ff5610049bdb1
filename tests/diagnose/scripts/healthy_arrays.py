"""Arrays with validation and metrics, evaluated and predicted from."""

import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.normal(size=(64, 4)).astype("float32")
y = x[:, :1] + 0.1 * np.random.normal(size=(64, 1)).astype("float32")

model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
model.compile(optimizer="adam", loss="mse", metrics=["mae"])
model.fit(x, y, epochs=12, batch_size=10, validation_split=0.25, verbose=0)
model.evaluate(x, y, verbose=0)
model.predict(x[:5], verbose=0)
