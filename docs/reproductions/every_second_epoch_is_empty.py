"""With steps_per_epoch the length of a pass, every second epoch trains on nothing.

steps_per_epoch is documented as the number of batches of an epoch. A dataset of unknown cardinality
is neither begun anew nor refused: the second epoch finds its iterator empty, the third starts over.
"""

import sys
import warnings

import keras
import numpy as np
import tensorflow as tf

warnings.simplefilter("ignore")
steps = []
data = tf.data.Dataset.from_tensor_slices((np.ones((4, 1, 1)), np.ones((4, 1, 1))))
data = data.filter(lambda *_: True)
count = keras.callbacks.LambdaCallback(
    on_epoch_begin=lambda epoch, logs=None: steps.append(0),
    on_train_batch_end=lambda batch, logs=None: steps.append(steps.pop() + 1),
)
model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(data, epochs=3, steps_per_epoch=4, verbose=0, callbacks=[count])

got, expected = steps, [4, 4, 4]
print("got:      steps by epoch", got)
print("expected: steps by epoch", expected)
sys.exit(int(got != expected))
