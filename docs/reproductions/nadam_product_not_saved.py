"""Nadam inside a LossScaleOptimizer does not save its product of decay rates.

Nadam corrects its moments by the product of all decay rates so far, one of its variables. When a
LossScaleOptimizer builds it, that variable is not among them: it is neither saved nor loaded, and
training that is carried on takes other steps than training that was never interrupted.
"""

import sys

import keras


def wrapped(variable):
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.Nadam(0.125), 2.0)
    optimizer.build([variable])
    return optimizer


variable = keras.Variable([1.0], name="weight")
plain = keras.optimizers.Nadam(0.125)
plain.build([variable])
outer = wrapped(variable)

got, expected = len(outer.inner_optimizer.variables), len(plain.variables)
print("got:     ", got, "variables of Nadam inside a LossScaleOptimizer")
print("expected:", expected, "as of Nadam alone")
sys.exit(int(got != expected))
