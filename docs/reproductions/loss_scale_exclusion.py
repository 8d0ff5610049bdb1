"""LossScaleOptimizer.exclude_from_weight_decay excludes nothing.

The method is documented to exclude variables from weight decay. The wrapper writes them down where
nothing reads them: the optimizer inside decays every variable.
"""

import sys

import keras

bias = keras.Variable([1.0], name="bias")
optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1.0, weight_decay=0.5))
optimizer.exclude_from_weight_decay(var_names=["bias"])
optimizer.build([bias])
optimizer.apply([keras.ops.zeros(1)], [bias])

got, expected = float(bias.numpy()[0]), 1.0
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got != expected))
