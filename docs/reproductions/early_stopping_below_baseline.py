"""EarlyStopping with a baseline never stops a run that improves and does not beat the baseline.

The argument is documented to stop a training without improvement over the baseline. A value that
beats the last best but not the baseline returns before the patience is looked at.
"""

import sys

import keras

model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
callback = keras.callbacks.EarlyStopping("loss", patience=2, baseline=1.0)
callback.set_model(model)
model.stop_training = False
callback.on_train_begin()
for epoch in range(8):
    callback.on_epoch_end(epoch, {"loss": 9.0 - epoch})

got, expected = model.stop_training, True
print("got:      stopped", got)
print("expected: stopped", expected)
sys.exit(int(got != expected))
