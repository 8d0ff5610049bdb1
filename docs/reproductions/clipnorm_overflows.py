"""clipnorm loses a finite gradient whose sum of squares overflows.

The argument is documented to clip each weight's gradient to the given norm. The norm of a float32
gradient above 1.8e19 comes out infinite, dividing by it gives 0: no update, and no warning.
"""

import sys

import keras
import numpy as np

weight = keras.Variable([0.0, 0.0])
optimizer = keras.optimizers.SGD(1.0, clipnorm=1.0)
optimizer.build([weight])
optimizer.apply([keras.ops.convert_to_tensor([3e19, 4e19])], [weight])

got, expected = weight.numpy(), np.array([-0.6, -0.8], "float32")
print("got:     ", got)
print("expected:", expected)
sys.exit(int(not np.allclose(got, expected)))
