"""A constraint is applied on every micro-step of an accumulation window.

gradient_accumulation_steps is documented to leave the weights alone until the window is full.
Gradients of zero make one update of two micro-steps: a constraint that goes half the way to a norm
of 1 must take a norm of 3 to 2, not to 1.5.
"""

import sys

import keras
import numpy as np

weight = keras.Variable([[3.0]])
weight.constraint = keras.constraints.MinMaxNorm(max_value=1.0, rate=0.5)
optimizer = keras.optimizers.SGD(1.0, gradient_accumulation_steps=2)
optimizer.build([weight])
for _ in range(2):
    optimizer.apply([keras.ops.zeros((1, 1))], [weight])

got = float(weight.numpy()[0, 0])
print("got:     ", got)
print("expected: 2.0")
sys.exit(int(not np.isclose(got, 2.0, rtol=1e-3)))
