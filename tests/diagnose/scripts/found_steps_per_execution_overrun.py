"""Three steps an epoch in executions of two are four."""
# finds: steps_per_execution_overrun
# says: 4 steps were trained in epoch 1, 3 were asked for: steps_per_execution is 2
# says: Choose steps_per_epoch as a multiple of 2.

import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.normal(size=(64, 4)).astype("float32")
y = x[:, :1] + 0.1 * np.random.normal(size=(64, 1)).astype("float32")

import tensorflow as tf

data = tf.data.Dataset.from_tensor_slices((x, y)).batch(16).repeat()
model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.SGD(0.01), loss="mse", steps_per_execution=2)
model.fit(data, epochs=2, steps_per_epoch=3, verbose=0)
