"""After saving and loading, MultiOptimizer gives variables to other optimizers than before.

It is documented to choose by the path of a variable. Loading rebuilds a nested Sequential without
its name in the paths: they match other patterns, and the states saved for them are left out.
"""

import pathlib
import sys
import tempfile

import keras
import numpy as np

if not hasattr(keras.optimizers, "MultiOptimizer"):
    print("got:      no such optimizer in Keras", keras.__version__)
    print("expected: (nothing to check)")
    sys.exit(0)
encoder = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)], name="encoder")
inputs = keras.Input((3,))
model = keras.Model(inputs, keras.layers.Dense(1)(encoder(inputs)))
groups = keras.optimizers.OptimizerMap(
    keras.optimizers.SGD(0.1), {"encoder/.*": keras.optimizers.Adam(0.1)}
)
model.compile(keras.optimizers.MultiOptimizer(groups), "mse")
model.fit(np.ones((8, 3)), np.ones((8, 1)), verbose=0)
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder, "m.keras")
    model.save(path)
    loaded = keras.models.load_model(path)

got, expected = len(loaded.optimizer.variables), len(model.optimizer.variables)
print("got:     ", got, "variables, paths", [v.path for v in loaded.trainable_variables][:2])
print("expected:", expected, "variables, paths", [v.path for v in model.trainable_variables][:2])
sys.exit(int(got != expected))
