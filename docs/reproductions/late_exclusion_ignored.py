"""exclude_from_weight_decay changes nothing when the optimizer has been built.

It is documented to be called before build, and has a ValueError for the other case that is never
raised. The call is accepted, and the train function that fit keeps decays the variables as before.
"""

import sys

import keras
import numpy as np

zeros = np.zeros((8, 3)), np.zeros((8, 1))
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, kernel_initializer="ones")])
model.compile(keras.optimizers.SGD(0.1, weight_decay=0.5), "mse")
model.fit(*zeros, verbose=0)
before = float(model.get_weights()[0][0, 0])
try:
    model.optimizer.exclude_from_weight_decay(var_names=["kernel"])
except ValueError:
    print("got:      ValueError")
else:
    model.fit(*zeros, verbose=0)
    print("got:      weight", float(model.get_weights()[0][0, 0]))

print("expected: ValueError, or weight", before)
sys.exit(int(float(model.get_weights()[0][0, 0]) != before))
