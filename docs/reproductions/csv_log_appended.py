"""CSVLogger(append=True) writes values under the names of other columns.

The columns of a file are those of its header. What is appended has the columns of its own first
epoch, which differ where only one of the two fits begins with an epoch that is validated.
"""

import csv
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np

x = np.ones((4, 1))
file = Path(tempfile.mkdtemp()) / "log.csv"
model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(0.125), "mse", jit_compile=False)
for first, last in ((0, 1), (1, 2)):
    rate = keras.callbacks.LearningRateScheduler(lambda epoch: 0.125)
    log = keras.callbacks.CSVLogger(file, append=True)
    model.fit(
        x,
        x,
        initial_epoch=first,
        epochs=last,
        validation_data=(x, x),
        validation_freq=2,
        callbacks=[rate, log],
        verbose=0,
    )

with file.open(newline="") as lines:
    row = list(csv.DictReader(lines))[1]
got, expected = row["val_loss"], model.evaluate(x, x, verbose=0)
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got is None or not np.isclose(float(got), expected)))
