"""Several fits in one script, callbacks that do their job, a model saved between."""

import tempfile
from pathlib import Path

import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.normal(size=(64, 4)).astype("float32")
y = x[:, :1] + 0.1 * np.random.normal(size=(64, 1)).astype("float32")

folder = Path(tempfile.mkdtemp())
callbacks = [
    keras.callbacks.ModelCheckpoint(folder / "best.keras", save_best_only=True),
    keras.callbacks.ReduceLROnPlateau(patience=2),
    keras.callbacks.CSVLogger(folder / "log.csv"),
    keras.callbacks.TerminateOnNaN(),
]
model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
model.compile(optimizer="adam", loss="mse")
model.fit(x, y, validation_data=(x, y), epochs=3, callbacks=callbacks, verbose=0)
model = keras.models.load_model(folder / "best.keras")
model.fit(x, y, epochs=6, initial_epoch=3, verbose=0)
for file in folder.iterdir():
    file.unlink()
folder.rmdir()
