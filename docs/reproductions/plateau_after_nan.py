"""ReduceLROnPlateau lowers the rate of an improving run whose first monitor value is NaN.

The callback is documented to reduce the rate when no improvement is seen. NaN is taken as the best
value, and nothing compares as better.
"""

import sys

import keras

model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(1.0), "mse")
callback = keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1)
callback.set_model(model)
callback.on_train_begin()
for epoch, value in enumerate((float("nan"), 3.0, 2.0, 1.0)):
    callback.on_epoch_end(epoch, {"loss": value})

got, expected = float(model.optimizer.learning_rate.numpy()), 1.0
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got != expected))
