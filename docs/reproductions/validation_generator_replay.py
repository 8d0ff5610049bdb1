"""A generator as validation data gives every later epoch its first two batches only.

validation_data is documented to be evaluated at the end of each epoch. With weights that stay, each
epoch's val_loss must be that of all the batches; a used-up generator could also be refused.
"""

import sys
import warnings

import keras
import numpy as np

warnings.simplefilter("ignore")
model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
model.compile(keras.optimizers.SGD(0.0), "mse")
validation = ((np.full((1, 1), float(number)), np.zeros((1, 1))) for number in range(4))
history = model.fit(
    np.ones((2, 1)), np.ones((2, 1)), epochs=3, verbose=0, validation_data=validation
).history

got, expected = history["val_loss"], [3.5, 3.5, 3.5]
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got[1:] != got[:-1]))
