"""fit calls on_epoch_end of a PyDataset before its first epoch.

The method is documented to be called at the end of every epoch. A curriculum that moves on there is
one epoch ahead from the start.
"""

import sys

import keras
import numpy as np

calls = []


class Batches(keras.utils.PyDataset):
    """Two batches that note their epochs."""

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return np.ones((1, 1)), np.ones((1, 1))

    def on_epoch_begin(self):
        calls.append("begin")

    def on_epoch_end(self):
        calls.append("end")


model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(Batches(), epochs=2, verbose=0)

got, expected = calls, ["begin", "end"] * 2
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got.count("end") > 2 or got[0] == "end"))
