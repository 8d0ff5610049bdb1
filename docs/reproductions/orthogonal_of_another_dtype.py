"""The orthogonal penalty fails for a kernel that is not float32.

The factor is kept in float32 and multiplied as it is, where those of L1 and L2 are cast.
"""

import sys

import keras

kernel = keras.ops.ones((3, 2), dtype="float64")
for regularizer in (keras.regularizers.L2(0.5), keras.regularizers.OrthogonalRegularizer(0.5)):
    try:
        print("got:     ", float(regularizer(kernel)))
    except Exception as error:  # noqa: BLE001 - each backend has its own
        print("got:     ", type(error).__name__)
        print("expected: 0.5")
        sys.exit(1)
