"""A float32 count in a layer stands still at 2048 under mixed precision.

`assign_add` reads the variable in the layer's compute dtype and adds to that: 2048 + 1 is 2048 in
float16. The documentation of `add_weight` says that a variable is cast when it is accessed, and
`autocast=False` avoids it; one may read an addition in place as such an access.
"""

import sys

import keras
import numpy as np


class Counter(keras.layers.Layer):
    def build(self, input_shape):
        self.count = self.add_weight(
            shape=(), initializer=keras.initializers.Constant(2048.0), trainable=False
        )

    def call(self, inputs):
        self.count.assign_add(1.0)
        return inputs


keras.mixed_precision.set_dtype_policy("mixed_float16")
counter = Counter()
model = keras.Sequential([keras.Input((3,)), counter, keras.layers.Dense(1)])
model.compile("sgd", "mse")
before = float(counter.count.numpy())
model.fit(np.ones((16, 3)), np.ones((16, 1)), batch_size=4, verbose=0)
got, expected = float(counter.count.numpy()), before + 4.0
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got != expected))
