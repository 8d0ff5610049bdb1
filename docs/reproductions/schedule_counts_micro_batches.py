"""Under gradient accumulation a schedule counts micro-batches, optimizer.iterations updates.

A schedule is documented as a function of the optimizer's step. Two updates lie within the first
two steps of this schedule; the second one finds it at micro-batch 3, where the rate is 0.
"""

import sys

import keras

weight = keras.Variable([0.0])
schedule = keras.optimizers.schedules.PiecewiseConstantDecay([1], [1.0, 0.0])
optimizer = keras.optimizers.SGD(schedule, gradient_accumulation_steps=2)
optimizer.build([weight])
for _ in range(4):
    optimizer.apply([keras.ops.ones(1)], [weight])

got, expected = float(weight.numpy()[0]), -2.0
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got != expected))
