"""A model loaded from an HDF5 file has no optimizer state, and its fit fails.

save is documented to write the state of the optimizer, which allows training to go on. The loaded
optimizer is built with the variables of the model itself, without those of its layers: with none.
"""

import pathlib
import sys
import tempfile

import keras
import numpy as np

x = np.ones((8, 3))
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
model.compile(keras.optimizers.Adam(0.1), keras.losses.MeanSquaredError())
model.fit(x, x[:, :1], verbose=0)
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder, "m.h5")
    model.save(path)
    loaded = keras.models.load_model(path)
got, expected = len(loaded.optimizer.variables), len(model.optimizer.variables)
try:
    loaded.fit(x, x[:, :1], verbose=0)
    fit = "fit works"
except Exception as error:  # noqa: BLE001 - any failure is the defect
    fit = f"{type(error).__name__}: {error}".splitlines()[0]

print("got:     ", got, "variables,", fit)
print("expected:", expected, "variables, fit works")
sys.exit(int((got, fit) != (expected, "fit works")))
