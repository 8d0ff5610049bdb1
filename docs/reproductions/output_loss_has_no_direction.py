"""No callback in mode "auto" can watch the loss of one of several outputs.

The direction is documented to be inferred from the name of the quantity. It is looked up among the
metrics only, where losses of outputs are not: a ValueError after the first epoch.
"""

import sys

import keras
import numpy as np

inputs = keras.Input((2,))
outputs = [keras.layers.Dense(1, name=name)(inputs) for name in ("first", "second")]
x, y = np.ones((8, 2)), np.ones((8, 1))
failed = {}
for callback in (
    keras.callbacks.EarlyStopping("val_second_loss"),
    keras.callbacks.ReduceLROnPlateau("val_second_loss"),
):
    model = keras.Model(inputs, outputs)
    model.compile("sgd", ["mse", "mse"])
    try:
        model.fit(x, [y, y], validation_data=(x, [y, y]), callbacks=[callback], verbose=0)
    except ValueError as error:
        failed[type(callback).__name__] = str(error).splitlines()[0][:60]

print("got:     ", failed)
print("expected:", {})
sys.exit(int(bool(failed)))
