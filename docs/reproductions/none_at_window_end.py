"""A gradient that is None at the end of an accumulation window loses what the window had gathered.

gradient_accumulation_steps is documented to apply the average over the window. Whether a None
defers the sum or counts as 0, both windows together move the weight by 1 + 0.5; the 0.5 is lost.
"""

import sys

import keras

first, second = keras.Variable([0.0]), keras.Variable([0.0])
optimizer = keras.optimizers.SGD(1.0, gradient_accumulation_steps=2)
optimizer.build([first, second])
one = keras.ops.ones(1)
for gradient in (one, None, one, one):
    optimizer.apply([gradient, one], [first, second])

got, expected = float(first.numpy()[0]), -1.5
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got != expected))
