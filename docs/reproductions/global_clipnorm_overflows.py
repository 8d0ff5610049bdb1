"""global_clipnorm turns finite gradients into NaN where their sum of squares overflows.

The argument is documented to clip the gradients so that their global norm is no higher than it.
Above 1.8e19 the norm is infinite in float32; tf.clip_by_global_norm documents NaN for that.
"""

import sys

import keras
import numpy as np

weight = keras.Variable([0.0, 0.0])
optimizer = keras.optimizers.SGD(1.0, global_clipnorm=1.0)
optimizer.build([weight])
optimizer.apply([keras.ops.convert_to_tensor([3e19, 4e19])], [weight])

got, expected = weight.numpy(), np.array([-0.6, -0.8], "float32")
print("got:     ", got)
print("expected:", expected)
sys.exit(int(not np.allclose(got, expected)))
