"""Under MirroredStrategy all replicas drop the same units.

The noise of a batch is then drawn for one share of it only. By another reading Keras documents no
more of a draw than that it repeats.
"""

import sys

import keras
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    dropout = keras.layers.Dropout(0.5, seed=1)


@tf.function
def drop():
    return strategy.run(lambda: dropout(tf.ones((1, 64)), training=True))


first, second = (mask.numpy() for mask in strategy.experimental_local_results(drop()))
print("got:     ", int((first != second).sum()), "of 64 units differ between the replicas")
print("expected: about 32")
sys.exit(int(np.array_equal(first, second)))
