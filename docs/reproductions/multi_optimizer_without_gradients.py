"""MultiOptimizer refuses a step in which all variables of one optimizer have no gradient.

One optimizer for all variables leaves out those without a gradient and updates the others. Here
each is applied by itself, and refuses a step without any.
"""

import sys

import keras

if not hasattr(keras.optimizers, "MultiOptimizer"):
    print("got:      no such optimizer in Keras", keras.__version__)
    print("expected: (nothing to check)")
    sys.exit(0)
first, second = keras.Variable([0.0], name="first"), keras.Variable([0.0], name="second")
groups = keras.optimizers.OptimizerMap(
    keras.optimizers.SGD(1.0), {"first": keras.optimizers.SGD(1.0)}
)
optimizer = keras.optimizers.MultiOptimizer(groups)
optimizer.build([first, second])
try:
    optimizer.apply([None, keras.ops.ones(1)], [first, second])
    got = float(second.numpy()[0])
except ValueError as error:
    got = str(error)

expected = -1.0
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got != expected))
