"""The moving average is updated on every micro-step of an accumulation window.

gradient_accumulation_steps is documented to leave the variables of model and optimizer alone until
the window is full. Three updates must leave the same average, however many micro-steps they have.
"""

import sys

import keras
import numpy as np

averages = []
for steps in (2, 1):
    weight = keras.Variable([0.0])
    optimizer = keras.optimizers.SGD(
        1.0,
        use_ema=True,
        ema_momentum=0.5,
        gradient_accumulation_steps=steps if steps > 1 else None,
    )
    optimizer.build([weight])
    for _ in range(3 * steps):
        optimizer.apply([keras.ops.ones(1)], [weight])
    optimizer.finalize_variable_values([weight])
    averages.append(float(weight.numpy()[0]))

got, expected = averages
print("got:     ", got)
print("expected:", expected)
sys.exit(int(not np.isclose(got, expected)))
