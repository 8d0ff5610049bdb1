"""SwapEMAWeights(swap_on_epoch=True) loses the averages where a fit ends before its last epoch.

With use_ema the averages replace the weights when training ends; they are put where the end of fit
looks for them in the epoch that was planned as the last only.
"""

import sys

import keras
import numpy as np


class Stopper(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = True


def final_weight(**arguments):
    dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = keras.Sequential([keras.Input((1,)), dense])
    optimizer = keras.optimizers.SGD(0.125, use_ema=True, ema_momentum=0.5)
    model.compile(optimizer, "mse", jit_compile=False)
    x = np.ones((2, 1))
    swap = keras.callbacks.SwapEMAWeights(**arguments)
    model.fit(x, x, batch_size=1, epochs=2, callbacks=[Stopper(), swap], verbose=0)
    return float(dense.kernel.numpy()[0, 0])


got, expected = final_weight(swap_on_epoch=True), final_weight()
print("got:     ", got)
print("expected:", expected)
sys.exit(int(not np.isclose(got, expected)))
