"""With a partial last batch the losses of the outputs do not add up to the total loss.

The total is documented as the sum of the losses of the outputs. It weighs each batch by its size,
the others are plain means over the batches.
"""

import sys

import keras
import numpy as np

x = keras.Input((1,))
model = keras.Model(x, [keras.layers.Identity(name="a")(x), keras.layers.Identity(name="b")(x)])
model.compile(loss=["mse", "mse"])
zeros = np.zeros((3, 1))
logs = model.evaluate(
    np.array([[0.0], [0.0], [3.0]]), [zeros, zeros], batch_size=2, verbose=0, return_dict=True
)

got, expected = logs["a_loss"] + logs["b_loss"], logs["loss"]
print("got:     ", got)
print("expected:", expected)
sys.exit(int(not np.isclose(got, expected)))
