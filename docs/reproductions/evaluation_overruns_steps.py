"""With several steps per execution an evaluation draws more batches than its steps.

steps is documented as the number of batches before the evaluation is finished. An execution always
runs all its steps; tests of Keras encode that.
"""

import sys

import keras
import numpy as np

model = keras.Sequential([keras.Input((1,)), keras.layers.Identity()])
model.compile(loss="mse", steps_per_execution=2)
outputs = np.array([[0.0], [0.0], [0.0], [2.0]])

got = model.evaluate(outputs, np.zeros((4, 1)), batch_size=1, steps=3, verbose=0)
expected = 0.0
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got != expected))
