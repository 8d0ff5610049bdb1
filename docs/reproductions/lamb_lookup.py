"""The optimizer Lamb is not found by its name.

keras.optimizers.get and compile are documented to take the name of any built-in optimizer. Lamb is
missing from the table of names.
"""

import sys

import keras

try:
    got = type(keras.optimizers.get("lamb")).__name__
except ValueError as error:
    got = type(error).__name__

expected = "Lamb"
print("got:     ", got)
print("expected:", expected)
sys.exit(int(got != expected))
