"""LearningRateScheduler logs the rate of the next epoch when a plateau callback stands before it.

Alone, either of the two logs the rate that the epoch was trained with. By another reading no page
says which rate the key means.
"""

import sys

import keras
import numpy as np

x = np.ones((4, 1))
used = []
model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(0.25), "mse", jit_compile=False)
see = keras.callbacks.LambdaCallback(
    on_epoch_begin=lambda epoch, logs: used.append(float(model.optimizer.learning_rate.numpy()))
)
plateau = keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=1e9)
scheduler = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate)
history = model.fit(x, x, epochs=3, callbacks=[plateau, scheduler, see], verbose=0)

got = history.history["learning_rate"]
print("got:     ", got)
print("expected:", used)
sys.exit(int(got != used))
