"""Under MirroredStrategy fit fails where the first batch cannot be shared evenly.

batch_size is documented as any integer. To learn its shape the first batch is averaged over the
replicas, whose shares differ in size.
"""

import sys

import keras
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", jit_compile=False)
try:
    model.fit(np.ones((6, 1)), np.ones((6, 1)), batch_size=3, verbose=0)
    got = "trained"
except tf.errors.InvalidArgumentError as error:
    got = type(error).__name__

expected = "trained"
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got != expected))
