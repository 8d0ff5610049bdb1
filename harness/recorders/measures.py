"""What a recorder computes inside the graph, on the tensors of one step."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from harness.pipeline.values import plain_tensor

__all__ = ["first_input", "half_square", "read", "spread"]


def first_input(batch: Any) -> Any:
    """The first array of a batch's inputs; None for what is no batch."""
    return tf.nest.flatten(batch[0])[0] if isinstance(batch, tuple | list) else None


def read(value: Any) -> Any:
    """The value now: a read that later writes in the same graph can't overtake."""
    tensor = plain_tensor(value)
    if tensor is not None:
        return tensor
    native = value if hasattr(value, "read_value") else getattr(value, "value", value)
    return native.read_value() if hasattr(native, "read_value") else native


def half_square(tensors: list[Any], dtype: str) -> Any:
    """Half the square of the global L2 norm.

    In `dtype`: summing float32 in float32 is what keeps the recorder cheap, and where exact norms
    matter the gradients themselves are recorded. Half, because `l2_loss` halves for nothing.
    """
    if not tensors:
        return tf.zeros([], dtype)
    return tf.add_n([tf.nn.l2_loss(tf.cast(tensor, dtype)) for tensor in tensors])


def spread(present: list[Any], like: list[Any]) -> list[Any]:
    """`present` in the places where `like` has something."""
    rest = iter(present)
    return [None if gradient is None else next(rest) for gradient in like]
