"""003: a generator ends in the second epoch; then Keras plays its first batches again."""
# finds: data_exhausted dataset_replay
# says: The data ran out at step 6 of 10 in epoch 2 of 4
# says: The generator gave 16 batches and ended
# says: generator batches(), of unknown length, built at
# says: The data ran out before the planned steps were done.

import keras
import numpy as np

keras.utils.set_random_seed(1)


def batches():
    for _ in range(16):
        x = np.random.normal(size=(8, 4)).astype("float32")
        yield x, x[:, :1]


model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
model.compile(optimizer="sgd", loss="mse")
model.fit(batches(), steps_per_epoch=10, epochs=4, verbose=0)
