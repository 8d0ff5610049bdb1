"""One step out of what several replicas did, and how far their copies of a variable are apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harness.trace import VariableInfo

__all__ = ["Frame", "apart", "disagreements", "merged"]


@dataclass(slots=True)
class Frame:
    """Tensors of the step that is being traced or run, on one replica or merged.

    Attributes:
        loss: What is differentiated, before loss scaling.
        scale: Factor of the loss scaling.
        learning_rate: Of this update.
        iterations_before: The optimizer's count before the update.
        iterations_after: And after it.
        applied: Whether the optimizer was called.
        gradients: As they were handed to the optimizer.
        before: All variables before the update, as one row.
        after: And after it.
        inputs: The examples of the batch.
        apart: How far the replicas' copies are apart after the update, one number per element.
    """

    loss: Any = None
    scale: Any = None
    learning_rate: Any = None
    iterations_before: Any = None
    iterations_after: Any = None
    applied: bool = False
    gradients: list[Any] = field(default_factory=list)
    before: Any = None
    after: Any = None
    inputs: Any = None
    apart: Any = None


def merged(frames: Sequence[Frame]) -> Frame:
    """The step of the whole batch: losses and gradients are sums over the replicas.

    Keras divides each replica's loss by their number, so that the sum is the loss of the batch.
    Counters and variables are those of the first replica.
    """
    first = frames[0]
    losses = [frame.loss for frame in frames if frame.loss is not None]
    return Frame(
        loss=tf.add_n([tf.convert_to_tensor(loss) for loss in losses]) if losses else None,
        scale=first.scale,
        learning_rate=first.learning_rate,
        iterations_before=first.iterations_before,
        iterations_after=first.iterations_after,
        applied=first.applied,
        gradients=[
            None if gradient is None else tf.add_n([frame.gradients[index] for frame in frames])
            for index, gradient in enumerate(first.gradients)
        ],
        before=first.before,
        after=first.after,
        inputs=None
        if first.inputs is None
        else tf.concat([frame.inputs for frame in frames], axis=0),
        apart=None if first.after is None else apart([frame.after for frame in frames]),
    )


def apart(rows: Sequence[Any]) -> Any:
    """Largest distance of each element of the later rows to that of the first; NaN is like NaN."""
    first = rows[0]
    most = tf.zeros_like(first)
    for row in rows[1:]:
        alike = tf.logical_or(
            tf.equal(row, first), tf.logical_and(tf.math.is_nan(row), tf.math.is_nan(first))
        )
        distance = tf.where(alike, tf.zeros_like(first), tf.abs(row - first))
        missing = tf.fill(tf.shape(first), tf.constant(np.inf, first.dtype))
        most = tf.maximum(most, tf.where(tf.math.is_nan(distance), missing, distance))
    return most


def disagreements(
    rows: NDArray[np.float64], variables: Sequence[VariableInfo]
) -> list[tuple[str, int, float]]:
    """Path, first step and largest distance in it of each variable whose copies are apart."""
    found = []
    start = 0
    for variable in variables:
        most = rows[:, start : start + variable.size].max(axis=1, initial=0.0)
        start += variable.size
        if most.any():
            step = int(np.flatnonzero(most)[0])
            found.append((variable.path, step, float(most[step])))
    return found
