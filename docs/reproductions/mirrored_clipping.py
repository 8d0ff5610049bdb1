"""Under MirroredStrategy every replica clips its own share of the gradient.

The clipping arguments are documented for the gradient that is applied. Two replicas must train like
one device; clipped shares are added up. By another reading each replica's gradient is meant.
"""

import sys

import keras
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
x, y = np.array([[1.0], [1.0]]), np.array([[9.0], [-1.0]])
rows = {}
for limit in ("clipnorm", "global_clipnorm", "clipvalue"):
    weights = []
    for strategy in (
        tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]),
        tf.distribute.get_strategy(),
    ):
        with strategy.scope():
            dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
            model = keras.Sequential([keras.Input((1,)), dense])
            model.compile(keras.optimizers.SGD(1.0, **{limit: 1.0}), "mse", jit_compile=False)
        model.fit(x, y, batch_size=2, shuffle=False, verbose=0)
        weights.append(float(model.get_weights()[0][0, 0]))
    rows[limit] = weights

print("got:     ", {limit: weights[0] for limit, weights in rows.items()})
print("expected:", {limit: weights[1] for limit, weights in rows.items()})
sys.exit(int(any(not np.isclose(*weights) for weights in rows.values())))
