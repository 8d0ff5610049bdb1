"""Under MirroredStrategy the examples of a batch that is shared unevenly weigh differently.

The loss of a batch is documented as its mean over the batch. It becomes the mean of the replicas'
means; by another reading the user has to weigh by the global batch, as tf.distribute asks for.
"""

import sys

import keras
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
weights = []
for strategy in (tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]), tf.distribute.get_strategy()):
    with strategy.scope():
        dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
        model = keras.Sequential([keras.Input((1,)), dense])
        model.compile(keras.optimizers.SGD(1.0), "mse", jit_compile=False)
    x, y = np.ones((7, 1)), np.array([[0.0]] * 6 + [[7.0]])
    model.fit(x, y, batch_size=4, shuffle=False, verbose=0)
    weights.append(float(model.get_weights()[0][0, 0]))

got, expected = weights
print("got:     ", got)
print("expected:", expected)
sys.exit(int(not np.isclose(got, expected)))
