"""Under MirroredStrategy loss scaling applies a gradient that is infinite on the second replica.

LossScaleOptimizer is documented to skip a step whose gradients are not finite. It asks the first
replica only.
"""

import sys

import keras
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model = keras.Sequential([keras.Input((1,)), dense])
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.5), initial_scale=1024.0)
    model.compile(optimizer, "mse", jit_compile=False)
model.fit(np.array([[1.0], [1e30]]), np.ones((2, 1)), batch_size=2, shuffle=False, verbose=0)

got, expected = float(model.get_weights()[0][0, 0]), 1.0
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got != expected))
