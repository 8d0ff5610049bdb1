"""LossScaleOptimizer doubles its scale up to infinity.

The scale is documented to be raised while the gradients are finite. From 2**127 on doubling gives
infinity in float32, which halving never leaves again; 0 is reached in the other direction.
"""

import sys

import keras
import numpy as np

weight = keras.Variable([0.0])
optimizer = keras.optimizers.LossScaleOptimizer(
    keras.optimizers.SGD(0.0), initial_scale=2.0**127, dynamic_growth_steps=1
)
optimizer.build([weight])
for _ in range(3):
    optimizer.apply([keras.ops.ones(1)], [weight])

got = float(optimizer.dynamic_scale.numpy())
print("got:     ", got)
print("expected: a finite scale")
sys.exit(int(not np.isfinite(got)))
