"""The workers of a PyDataset build batches before on_epoch_begin is called.

The method is documented to be called at the beginning of every epoch. What it sets up is not there
yet for the first batches.
"""

import sys
import time

import keras
import numpy as np

calls = []


class Batches(keras.utils.PyDataset):
    """Two batches that note when they are built."""

    def __len__(self):
        return 2

    def __getitem__(self, index):
        calls.append("batch")
        return np.ones((1, 1)), np.ones((1, 1))

    def on_epoch_begin(self):
        time.sleep(0.2)  # what the workers may do by then, they do
        calls.append("begin")


model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(Batches(workers=2), verbose=0)

print("got:     ", calls)
print("expected: nothing but the look at the first batch before begin", flush=True)
sys.exit(int(calls[:2] != ["batch", "begin"]))
