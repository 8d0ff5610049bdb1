"""MeanIoU casts sample weights to integers: a weight of a half counts as none.

The documentation asks for no integers. Since 3.8 the confusion matrix holds them, and what is
added to it is cut; Keras warns of it once.
"""

import sys

import keras

plain, weighted = keras.metrics.MeanIoU(2), keras.metrics.MeanIoU(2)
plain.update_state([0, 1, 1, 0], [0, 1, 0, 0])
weighted.update_state([0, 1, 1, 0], [0, 1, 0, 0], sample_weight=[0.5] * 4)
got, expected = float(weighted.result()), float(plain.result())

print("got:     ", round(got, 4), "where all samples weigh a half")
print("expected:", round(expected, 4), "as where all weigh the same")
sys.exit(int(abs(got - expected) > 1e-6))
