"""EarlyStopping stops an improving run whose first monitor value is NaN.

patience is documented as the number of epochs without improvement. NaN is taken as the best value,
and nothing compares as better.
"""

import sys

import keras

model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
callback = keras.callbacks.EarlyStopping("loss", patience=2)
callback.set_model(model)
model.stop_training = False
callback.on_train_begin()
for epoch, value in enumerate((float("nan"), 3.0, 2.0, 1.0)):
    callback.on_epoch_end(epoch, {"loss": value})

got, expected = model.stop_training, False
print("got:      stopped", got)
print("expected: stopped", expected)
sys.exit(int(got != expected))
