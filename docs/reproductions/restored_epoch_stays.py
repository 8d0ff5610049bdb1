"""After a restored fit every later fit of the model begins with the restored epoch.

BackupAndRestore is documented to resume the interrupted training; initial_epoch of a later fit is
0. The epoch stays in the model although the backup is gone.
"""

import sys
import tempfile

import keras
import numpy as np

x = np.ones((2, 1))
model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")


def interrupt(epoch, logs=None):
    """Stop the run as a crash would."""
    if epoch == 1:
        raise KeyboardInterrupt


with tempfile.TemporaryDirectory() as folder:
    crash = keras.callbacks.LambdaCallback(on_epoch_begin=interrupt)
    try:
        model.fit(
            x, x, epochs=2, verbose=0, callbacks=[keras.callbacks.BackupAndRestore(folder), crash]
        )
    except KeyboardInterrupt:
        model.fit(x, x, epochs=2, verbose=0, callbacks=[keras.callbacks.BackupAndRestore(folder)])

got, expected = model.fit(x, x, epochs=2, verbose=0).epoch, [0, 1]
print("got:      epochs", got)
print("expected: epochs", expected)
sys.exit(int(got != expected))
