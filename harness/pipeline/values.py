"""Reads and writes of variables past what Keras and TensorFlow do for everybody else.

A run of ten driven steps takes 4 ms, of which reading variables one by one through their public
methods were 1 ms: each makes a tensor, hands it through a second op, and checks both.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.pipeline.backend import backend_name, import_tensorflow

__all__ = ["kept_value", "plain_tensor", "put_back", "read_value"]


def plain_tensor(variable: Any) -> Any:
    """What a variable of one device holds now, as a tensor, in a graph or not; None for others.

    `read_value` adds an op that hands on what was read, to be traced and run each time.
    """
    native = _native(variable)
    # One that is mirrored over replicas, or lives in another backend, reads itself.
    if type(native).__name__ != "ResourceVariable":
        return None
    return import_tensorflow().raw_ops.ReadVariableOp(resource=native.handle, dtype=native.dtype)


def read_value(variable: Any) -> Any:
    """The value of a variable of Keras or of TensorFlow now, as an array of its dtype."""
    tensor = plain_tensor(variable)
    return np.asarray(variable.numpy()) if tensor is None else tensor.numpy()


def kept_value(variable: Any) -> Any:
    """A copy of the value of a variable, in the form that is put back fastest."""
    value = np.array(variable.numpy())
    # A tensor, or every reset would have to make it again.
    return import_tensorflow().constant(value) if backend_name() == "tensorflow" else value


def put_back(variable: Any, value: Any) -> None:
    """Assign past Keras, which would convert and check what it has held before."""
    if backend_name() == "tensorflow":
        _native(variable).assign(value, read_value=False)
    else:
        variable.assign(value)


def _native(variable: Any) -> Any:
    """TensorFlow's variable within one of Keras'; of others, whatever they hold."""
    native = getattr(variable, "value", variable)
    return variable if callable(native) else native
