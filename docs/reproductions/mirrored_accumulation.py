"""Gradient accumulation fails under MirroredStrategy.

gradient_accumulation_steps is documented without an exception for strategies. The end of its
window is a branch of the graph, in which the replicas cannot meet.
"""

import sys

import keras
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    optimizer = keras.optimizers.SGD(1.0, gradient_accumulation_steps=2)
    model.compile(optimizer, "mse", jit_compile=False)
try:
    model.fit(np.ones((4, 1)), np.ones((4, 1)), batch_size=2, verbose=0)
    got = "trained"
except RuntimeError as error:
    got = type(error).__name__

expected = "trained"
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got != expected))
