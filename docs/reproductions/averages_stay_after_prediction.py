"""SwapEMAWeights leaves the averages in the model after predict.

The callback is documented to restore the weights after it has put the averages in their place. A
prediction ends with the averages in the model, and training would go on from them.
"""

import sys

import keras
import numpy as np

model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="zeros")])
model.compile(keras.optimizers.SGD(0.25, use_ema=True), "mse")
x = np.ones((4, 1))
model.fit(x, x, batch_size=1, verbose=0)
model.layers[0].set_weights([np.array([[7.0]]), np.array([7.0])])
model.predict(x, verbose=0, callbacks=[keras.callbacks.SwapEMAWeights()])

got, expected = float(model.get_weights()[0][0, 0]), 7.0
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got != expected))
