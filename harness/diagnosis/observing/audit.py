"""Looks once, after a fit, at what is not a number: weights, and arrays that were trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

__all__ = ["audit_data", "audit_weights"]

_MOST_ELEMENTS = 5 * 10**7
_MOST_NAMES = 20


def audit_weights(model: Any) -> list[str]:
    """Paths of the variables that hold NaN or infinity, in the order of the model."""
    wrong = []
    for variable in getattr(model, "variables", ()):
        native = getattr(variable, "value", variable)
        if not getattr(native, "dtype", tf.string).is_floating:
            continue
        if not bool(tf.reduce_all(tf.math.is_finite(native))):
            wrong.append(str(getattr(variable, "path", variable.name)))
        if len(wrong) == _MOST_NAMES:
            break
    return wrong


def audit_data(arguments: dict[str, Any]) -> list[str]:
    """What of the arrays given to `fit` is not finite: ``x: 3 of 640 values, first in row 17``."""
    found = []
    for name in ("x", "y", "sample_weight"):
        for index, leaf in enumerate(_leaves(arguments.get(name))):
            if not isinstance(leaf, np.ndarray) or leaf.dtype.kind != "f":
                continue
            if leaf.size > _MOST_ELEMENTS:
                continue
            wrong = ~np.isfinite(leaf)
            if wrong.any():
                row = int(np.argwhere(wrong)[0][0])
                label = f"{name}[{index}]" if index else name
                found.append(
                    f"{label}: {int(wrong.sum())} of {leaf.size} values, first in row {row}"
                )
    return found


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in _leaves(part)]
    if isinstance(value, list | tuple):
        return [leaf for part in value for leaf in _leaves(part)]
    return [value]
