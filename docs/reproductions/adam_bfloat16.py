"""Adam never moves a bfloat16 variable.

The first step of Adam is the learning rate, whatever the gradient. beta_2 = 0.999 is 1 in bfloat16,
and the bias correction makes every step 0.
"""

import sys

import keras

weight = keras.Variable([1.0], dtype="bfloat16")
optimizer = keras.optimizers.Adam(0.5)
optimizer.build([weight])
optimizer.apply([keras.ops.ones(1, "bfloat16")], [weight])

got, expected = float(weight.numpy()[0]), 0.5
print("got:     ", got)
print("expected:", expected)
sys.exit(int(abs(got - expected) > 0.01))
