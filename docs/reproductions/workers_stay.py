"""A callback that stops training in an epoch leaves the threads of a PyDataset running.

workers is documented as the number of threads to use; they are stopped at the end of an epoch,
which is never reached.
"""

import os
import threading

import keras
import numpy as np


class Batches(keras.utils.PyDataset):
    """Fifty batches."""

    def __len__(self):
        return 50

    def __getitem__(self, index):
        return np.ones((1, 1)), np.ones((1, 1))


def stop(batch, logs=None):
    """End the training after the first batch."""
    model.stop_training = True


model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(Batches(), verbose=0)
expected = threading.active_count()
callback = keras.callbacks.LambdaCallback(on_train_batch_end=stop)
for _ in range(3):
    model.fit(Batches(workers=2, max_queue_size=2), verbose=0, callbacks=[callback])
got = threading.active_count()
print("got:      threads", got)
print("expected: threads", expected, flush=True)
os._exit(int(got > expected))  # an ordinary exit would wait for the threads
