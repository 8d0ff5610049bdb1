"""Once a seed is set, arrays are shuffled in the same order in every epoch.

fit is documented to shuffle the training data before each epoch. The permutation is made within a
dataset that is begun anew in every epoch, and a seeded generator begins anew with it.
"""

import sys

import keras
import numpy as np

keras.utils.set_random_seed(1)

epochs = []


class Order(keras.Model):
    def train_step(self, data):
        epochs[-1] += np.ravel(data[0]).astype(int).tolist()
        return super().train_step(data)


class Epochs(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        epochs.append([])


layer_in = keras.Input([1])
model = Order(layer_in, keras.layers.Dense(1)(layer_in))
model.compile("sgd", "mse", run_eagerly=True)
numbers = np.arange(16.0)[:, None]
model.fit(numbers, numbers, batch_size=4, epochs=3, verbose=0, callbacks=[Epochs()])

print("got:     ", *epochs, sep="\n  ")
print("expected: another order in each epoch")
sys.exit(int(len(set(map(tuple, epochs))) == 1))
