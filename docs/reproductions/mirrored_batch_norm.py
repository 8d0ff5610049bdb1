"""Under MirroredStrategy the replicas' copies of a batch normalisation's statistics drift apart.

A mirrored variable is documented to be kept in sync. By another reading only synchronized=True says
anything of several replicas; then it depends on the replica what the model computes.
"""

import sys

import keras
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    norm = keras.layers.BatchNormalization(momentum=0.5)
    model = keras.Sequential([keras.Input((1,)), norm, keras.layers.Dense(1)])
    model.compile("sgd", "mse", jit_compile=False)
x = np.array([[1.0], [3.0], [5.0], [7.0]])
model.fit(x, x, batch_size=4, shuffle=False, verbose=0)

copies = [float(copy.numpy()[0]) for copy in norm.moving_mean.value.values]
print("got:     ", copies)
print("expected:", [float(0.5 * x.mean())] * 2)
sys.exit(int(copies[0] != copies[1]))
