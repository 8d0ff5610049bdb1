"""ModelCheckpoint(save_best_only=True) keeps the model of a first epoch whose monitor is NaN.

save_best_only is documented to save when the model is considered the best. NaN is taken as the best
value, no later one compares as better, and the file stays that of the NaN.
"""

import sys
import tempfile
from pathlib import Path

import keras

with tempfile.TemporaryDirectory() as folder:
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    callback = keras.callbacks.ModelCheckpoint(
        folder + "/{epoch}.weights.h5", "loss", save_best_only=True, save_weights_only=True
    )
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate((float("nan"), 2.0, 1.0)):
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {"loss": value})
    got = sorted(path.name for path in Path(folder).iterdir())

expected = "2.weights.h5 and 3.weights.h5 among the files"
print("got:     ", got)
print("expected:", expected)
sys.exit(int(not {"2.weights.h5", "3.weights.h5"} <= set(got)))
