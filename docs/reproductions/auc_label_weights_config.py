"""An AUC with label_weights can be serialized but not be made anew.

keras.metrics.deserialize is documented to take what serialize returns. The weights are kept as a
tensor; what stands for it in the configuration is handed to the class as it is.
"""

import sys

import keras

metric = keras.metrics.AUC(multi_label=True, num_labels=2, label_weights=[1.0, 3.0])
try:
    got = type(keras.metrics.deserialize(keras.metrics.serialize(metric))).__name__
except (TypeError, ValueError) as error:
    got = type(error).__name__

expected = "AUC"
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got != expected))
