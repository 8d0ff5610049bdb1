"""A schedule assigned to learning_rate after the first fit is not followed by the next one.

The setter takes schedules as well as numbers, and a number does have its effect. The train function
that fit keeps has the variable in it that held the rate before.
"""

import sys

import keras
import numpy as np

x = np.ones((8, 3))
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, kernel_initializer="zeros")])
model.compile(keras.optimizers.SGD(0.1), "mse")
model.fit(x, x[:, :1] + 9, verbose=0)
before = model.get_weights()[0]
model.optimizer.learning_rate = keras.optimizers.schedules.ExponentialDecay(0.0, 1, 0.5)
model.fit(x, x[:, :1] + 9, verbose=0)

got, expected = float(np.abs(model.get_weights()[0] - before).max()), 0.0
print("got:      weights moved by", got, "at rate", float(model.optimizer.learning_rate))
print("expected: weights moved by", expected)
sys.exit(int(got != expected))
