"""The moving average takes in weights that no constraint has been applied to yet.

A constraint is documented as a projection applied after each update, and use_ema as the average
of the weights. The averages are those of the weights before it: NonNeg weights end negative.
"""

import sys

import keras

weight = keras.Variable([1.0])
weight.constraint = keras.constraints.NonNeg()
optimizer = keras.optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
optimizer.build([weight])
for _ in range(3):
    optimizer.apply([keras.ops.ones(1)], [weight])
optimizer.finalize_variable_values([weight])

got = float(weight.numpy()[0])
print("got:     ", got)
print("expected: at least 0.0")
sys.exit(int(got < 0.0))
