"""Recognises whether each validation of a fit saw the same data, by an integer fingerprint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import tensorflow as tf

from harness.diagnosis.observing.lanes import made_apart
from harness.diagnosis.observing.wrapping import wrap
from harness.recorders.measures import first_input

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.diagnosis.observing.notes import Notes

__all__ = ["ValidationWatch"]

_MOST_ELEMENTS: Final = 512
"""Elements of an example that are looked at: enough to tell examples apart."""


class ValidationWatch:
    """Adds up fingerprints of what an evaluation reads, inside the graph.

    The sum of integers is the same in whatever order the examples come.
    """

    def __init__(self, notes: Notes) -> None:
        """Wrap nothing yet."""
        self._notes = notes
        self._totals: dict[int, tuple[Any, Any]] = {}
        self._watched: set[type] = set()
        self._inside = False

    def watch_test_step(self, model: type) -> None:
        """Wrap the test steps that a class of models has or inherits, each once."""
        for owner in model.__mro__:
            if "test_step" in vars(owner) and owner not in self._watched:
                self._watched.add(owner)
                wrap(owner, "test_step", self._test_step)

    def begin(self, model: Any) -> None:
        """An evaluation begins."""
        if id(model) in self._totals:
            self._totals[id(model)][0].assign([0, 0])

    def end(self, model: Any) -> dict[str, Any]:
        """What the evaluation has read: ``examples`` and ``fingerprint``, as far as is known."""
        if id(model) not in self._totals:
            return {}
        fingerprint, examples = (int(value) for value in self._totals[id(model)][0].numpy())
        return {"examples": examples, "fingerprint": fingerprint}

    def _test_step(self, original: Callable[..., Any], model: Any, *args: Any, **kw: Any) -> Any:
        if self._inside or _several() or not args:
            return original(model, *args, **kw)
        self._inside = True
        try:
            result = original(model, *args, **kw)
            with self._notes.sparing("validation batch"):
                self._add(model, first_input(args[0]))
        finally:
            self._inside = False
        return result

    def _add(self, model: Any, inputs: Any) -> None:
        if (
            not tf.is_tensor(inputs)
            or not hasattr(inputs, "shape")
            or inputs.shape.rank in (None, 0)
        ):
            return
        dtype = inputs.dtype
        if not (dtype.is_floating or dtype.is_integer) or None in inputs.shape[1:]:
            return
        if id(model) not in self._totals:
            total = made_apart(np.zeros(2, np.int64))
            # With the model, so that its identity is never given away again.
            self._totals[id(model)] = total, model
        total = self._totals[id(model)][0]
        total.assign_add(tf.stack([_fingerprint(inputs), tf.shape(inputs, "int64")[0]]))


def _fingerprint(inputs: Any) -> Any:
    elements = int(np.prod(inputs.shape[1:]))
    flat = tf.reshape(inputs, [-1, elements])[:, :: max(elements // _MOST_ELEMENTS, 1)]
    if flat.dtype.is_floating:
        flat = tf.bitcast(flat, {2: "int16", 4: "int32", 8: "int64"}[flat.dtype.size])
    count = len(range(0, elements, max(elements // _MOST_ELEMENTS, 1)))
    weights = np.random.default_rng(0).integers(-(2**62), 2**62, size=count, dtype=np.int64)
    return tf.reduce_sum(tf.cast(flat, "int64") * (weights | np.int64(1)))


def _several() -> bool:
    return bool(
        tf.distribute.has_strategy() and tf.distribute.get_strategy().num_replicas_in_sync > 1
    )
