"""LambdaCallback hands the logs of a batch over by name.

Its functions for batches are documented to "expect two positional arguments: batch, logs". One that
calls its second argument otherwise is refused.
"""

import sys

import keras
import numpy as np

seen: list[int] = []
model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
model.compile(optimizer="sgd", loss="mse")
callback = keras.callbacks.LambdaCallback(on_train_batch_end=lambda index, _: seen.append(index))
try:
    model.fit(np.ones((2, 1)), np.ones((2, 1)), batch_size=1, verbose=0, callbacks=[callback])
except TypeError as error:
    print(error)

print("got:     ", seen)
print("expected:", [0, 1])
sys.exit(int(seen != [0, 1]))
