"""Adam takes a first step of many times the learning rate on a float16 variable.

The first step of Adam is the learning rate, whatever the gradient. The square of a small gradient
underflows to 0 in float16, and the step is the gradient divided by epsilon.
"""

import sys

import keras

weight = keras.Variable([0.0], dtype="float16")
optimizer = keras.optimizers.Adam(0.125)
optimizer.build([weight])
optimizer.apply([keras.ops.full((1,), 1e-4, "float16")], [weight])

got, expected = float(weight.numpy()[0]), -0.125
print("got:     ", got)
print("expected:", expected)
sys.exit(int(abs(got - expected) > 0.01))
