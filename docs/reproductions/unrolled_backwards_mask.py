"""A layer that goes backwards over a masked text puts out the same unrolled as in a loop.

keras.layers.RNN documents unroll as a matter of speed and memory. With outputs of zero for masked
steps, which Bidirectional asks for, the unrolled layer takes the mask in the forward direction.
"""

import sys

import keras
import numpy as np

text, mask = np.ones((1, 3, 1), np.float32), np.array([[True, False, False]])


def outputs(unroll):
    layer = keras.layers.SimpleRNN(
        1,
        kernel_initializer="ones",
        recurrent_initializer="ones",
        return_sequences=True,
        go_backwards=True,
        zero_output_for_mask=True,
        unroll=unroll,
    )
    return np.asarray(layer(text, mask=mask)).ravel()


got, expected = outputs(unroll=True), outputs(unroll=False)
print("got:     ", got)
print("expected:", expected)
sys.exit(int(not np.allclose(got, expected)))
