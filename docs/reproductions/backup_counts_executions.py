"""BackupAndRestore counts the first execution of an epoch as one batch, however many it holds.

An integer save_freq is documented as the number of batches from one backup to the next. With
steps_per_execution=2 the backup that is due after four batches is written after six.
"""

import sys
import tempfile
from pathlib import Path

import keras
import numpy as np

with tempfile.TemporaryDirectory() as folder:
    seen = []
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", steps_per_execution=2)
    watcher = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs=None: seen.append(
            (batch + 1, any(Path(folder).rglob("*.h5")))
        )
    )
    backup = keras.callbacks.BackupAndRestore(folder, save_freq=4)
    model.fit(
        np.ones((8, 1)), np.ones((8, 1)), batch_size=1, verbose=0, callbacks=[backup, watcher]
    )

got = next((batches for batches, saved in seen if saved), None)
print("got:      first backup after batch", got)
print("expected: first backup after batch", 4)
sys.exit(int(got != 4))
