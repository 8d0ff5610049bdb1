"""A serialized CategoricalGeneralizedCrossEntropy does not come back as a loss.

keras.losses.deserialize is documented to return a loss. This class is missing from the table of
names, so that the name itself is returned.
"""

import sys

import keras

if not hasattr(keras.losses, "CategoricalGeneralizedCrossEntropy"):
    print("got:      no such loss in Keras", keras.__version__)
    print("expected: (nothing to check)")
    sys.exit(0)
loss = keras.losses.CategoricalGeneralizedCrossEntropy()
again = keras.losses.deserialize(keras.losses.serialize(loss))

print("got:     ", type(again).__name__)
print("expected:", type(loss).__name__)
sys.exit(int(type(again) is not type(loss)))
