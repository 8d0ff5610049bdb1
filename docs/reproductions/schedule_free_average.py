"""From the second update on ScheduleFreeAdamW averages with the wrong fast weights.

The paper the class refers to has y = (1 - beta) z + beta x with x the mean of all z. The old z that
x is recovered from is a reference to the variable, which has changed by then.
"""

import sys

import keras
import numpy as np

if not hasattr(keras.optimizers, "ScheduleFreeAdamW"):
    print("got:      no such optimizer in Keras", keras.__version__)
    print("expected: (nothing to check)")
    sys.exit(0)
weight = keras.Variable([0.0])
optimizer = keras.optimizers.ScheduleFreeAdamW(1.0, beta_1=0.5)
optimizer.build([weight])
for _ in range(2):  # each moves z by 1: from 0 to -1 and to -2, x to -1 and to -1.5
    optimizer.apply([keras.ops.ones(1)], [weight])

got, expected = float(weight.numpy()[0]), 0.5 * -2.0 + 0.5 * -1.5
print("got:     ", got)
print("expected:", expected)
sys.exit(int(not np.isclose(got, expected, atol=1e-4)))
