"""Array types, shape checks and the float32 rounding that oracles share.

Keras keeps hyperparameters as Python numbers. A few of them pass through a cast whose
intermediate type is float32, so that they are rounded to 24 bits even in a float64 run. Measured
on Keras 3.15.1 with the TensorFlow backend, with ``floatx`` set to float64:

- rounded: ``SGD.momentum``; ``beta_1`` and ``beta_2`` of Adam and AdamW inside the bias correction
  only; ``weight_decay``; ``Adagrad.initial_accumulator_value``; the factor of an L2
  regularizer; every learning rate schedule, whose whole arithmetic is float32;
- exact: ``beta_1`` and ``beta_2`` in the moment updates, ``rho`` and ``RMSprop.momentum``, every
  ``epsilon``, all clipping limits, ``ema_momentum``, ``loss_scale_factor`` and a constant learning
  rate.

Oracles copy this only where told to, with ``float32_constants=True``. The documented formula has
no such rounding.
"""

from collections.abc import Sized

import numpy as np
import numpy.typing as npt

from harness.errors import HarnessUsageError, ShapeError

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


class ArgumentError(HarnessUsageError, ValueError):
    """A plain number or name given to an oracle lies outside what the oracle is defined for."""


def frozen(values: npt.ArrayLike) -> Float64:
    """Return a read-only float64 copy of `values`, of the same shape."""
    array = np.array(values, dtype=np.float64)
    array.setflags(write=False)
    return array


def as_float32(value: float) -> float:
    """Return `value` rounded to the nearest float32, as a Python float.

    Keras does this to the hyperparameters listed at the top of this module.
    """
    return float(np.float32(value))


def require_same_shape(reference: Float64, **arrays: npt.ArrayLike) -> None:
    """Check that every named array has the shape of `reference`.

    Args:
        reference: Shape (*dims), the parameter or prediction the others belong to.
        **arrays: Arrays to check; the keyword names the array in the message.

    Raises:
        ShapeError: An array has another shape.
    """
    for name, array in arrays.items():
        shape = np.shape(array)
        if shape != reference.shape:
            msg = (
                f"{name} must have shape {reference.shape}, got {shape}. "
                "Pass one array per variable, in the order of the variables."
            )
            raise ShapeError(msg)


def require_same_length(expected: int, **sequences: Sized) -> None:
    """Check that every named sequence holds `expected` items.

    Args:
        expected: Number of variables, batches or samples there are.
        **sequences: Sized objects to check; the keyword names the sequence in the message.

    Raises:
        ShapeError: A sequence has another length.
    """
    for name, sequence in sequences.items():
        length = len(sequence)
        if length != expected:
            msg = f"{name} must hold {expected} entries, got {length}. Pass one per variable."
            raise ShapeError(msg)


def require_positive(**numbers: float) -> None:
    """Check that every named number is greater than zero.

    Raises:
        ArgumentError: A number is zero, negative or NaN.
    """
    for name, number in numbers.items():
        if not number > 0:
            msg = f"{name} must be greater than 0, got {number!r}."
            raise ArgumentError(msg)


def require_fraction(**numbers: float) -> None:
    """Check that every named number lies in [0, 1].

    Raises:
        ArgumentError: A number lies outside, or is NaN.
    """
    for name, number in numbers.items():
        if not 0 <= number <= 1:
            msg = f"{name} must lie in [0, 1], got {number!r}."
            raise ArgumentError(msg)


def require_known(name: str, value: str, known: tuple[str, ...]) -> None:
    """Check that `value` is one of the names in `known`.

    Raises:
        ArgumentError: It is not.
    """
    if value not in known:
        msg = f"{name} must be one of {', '.join(known)}, got {value!r}."
        raise ArgumentError(msg)
