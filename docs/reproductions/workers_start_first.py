"""The workers of a PyDataset build batches before on_epoch_begin is called.

The method is documented to be called at the beginning of every epoch. What it sets up is not there
yet for the first batches.
"""

import sys
import threading
import time

import keras
import numpy as np

calls = []


class Batches(keras.utils.PyDataset):
    """Two batches that note when they are built, and by whom."""

    def __len__(self):
        return 2

    def __getitem__(self, index):
        main = threading.current_thread() is threading.main_thread()
        calls.append("look" if main else "batch")
        return np.ones((1, 1)), np.ones((1, 1))

    def on_epoch_begin(self):
        time.sleep(0.5)  # what the workers may do by then, they do
        calls.append("begin")


model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(Batches(workers=2), verbose=0)

print("got:     ", calls)
print("expected: begin before the first batch")
sys.exit(int(calls.index("begin") > calls.index("batch")))
