"""A callback that stops training in an epoch leaves a PyDataset without on_epoch_end.

The method is documented to be called at the end of every epoch; the callbacks are told of the end
of this one.
"""

import sys

import keras
import numpy as np

ends = {"data": 0, "callback": 0}


class Batches(keras.utils.PyDataset):
    """Nine batches; the hook counts the epochs that have begun."""

    begun = False

    def __len__(self):
        return 9

    def __getitem__(self, index):
        return np.ones((1, 1)), np.ones((1, 1))

    def on_epoch_begin(self):
        self.begun = True

    def on_epoch_end(self):
        ends["data"] += self.begun  # Keras also calls it before the first epoch


class Stop(keras.callbacks.Callback):
    """End the training after the first batch."""

    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        ends["callback"] += 1


model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(Batches(), verbose=0, callbacks=[Stop()])
print("got:     ", ends)
print("expected:", {"data": 1, "callback": 1})
sys.exit(int(ends["data"] != ends["callback"]))
