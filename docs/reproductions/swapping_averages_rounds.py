"""SwapEMAWeights changes the weights of a model that is evaluated.

The callback is documented to restore the weights after the evaluation. On TensorFlow the two are
swapped by adding and subtracting them: a small weight beside a large average is lost.
"""

import sys

import keras
import numpy as np

model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
model.compile(keras.optimizers.SGD(0.0, use_ema=True), "mse")
x = np.ones((4, 1))
model.fit(x, x, batch_size=4, verbose=0)
model.layers[0].set_weights([np.array([[1e-9]]), np.array([0.0])])
model.evaluate(x, x, verbose=0, callbacks=[keras.callbacks.SwapEMAWeights()])

got, expected = float(model.get_weights()[0][0, 0]), float(np.float32(1e-9))
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got != expected))
