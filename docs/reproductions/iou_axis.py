"""OneHotMeanIoU fails where the classes are not on the last axis.

axis is documented as the dimension of the logits. It is also used for the mean over the classes,
which has one dimension only.
"""

import sys

import keras
import numpy as np

labels = np.eye(2, dtype="float32")[[[0, 1, 1]]].swapaxes(1, 2)
metric = keras.metrics.OneHotMeanIoU(num_classes=2, axis=1)
metric.update_state(labels, labels)
try:
    got = float(metric.result())
except Exception as error:  # noqa: BLE001 - TensorFlow's classes differ between modes
    got = type(error).__name__

expected = 1.0
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got != expected))
