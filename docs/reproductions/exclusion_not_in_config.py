"""exclude_from_weight_decay is forgotten by get_config, and so by saving and loading.

get_config is documented to allow an optimizer to be made anew without its state. What was
excluded decays after that; nothing says that the call has to be repeated.
"""

import sys

import keras

optimizer = keras.optimizers.SGD(1.0, weight_decay=0.5)
optimizer.exclude_from_weight_decay(var_names=["bias"])
again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
bias = keras.Variable([1.0], name="bias")
again.build([bias])
again.apply([keras.ops.zeros(1)], [bias])

got, expected = float(bias.numpy()[0]), 1.0
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got != expected))
