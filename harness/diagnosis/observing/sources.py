"""Where the batches of a fit come from: the kind of source, how it was built, how long it is."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from harness.diagnosis.observing.places import place_of, user_place
from harness.diagnosis.observing.wrapping import wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Drawn", "describe", "watch_datasets"]

_PLACE = "_observed_place"
_MOST_STAGES = 24
_MOST_LABELS = 1000


class Drawn:
    """Counts what a generator hands out.

    Attributes:
        batches: Handed out so far.
        ended: Whether it has ended.
    """

    def __init__(self) -> None:
        """Nothing yet."""
        self.batches = 0
        self.ended = False

    def counted(self, generator: types.GeneratorType[Any, Any, Any]) -> Iterator[Any]:
        """The same batches, as a generator of its own; what is left stays in the original."""
        for batch in generator:
            self.batches += 1
            yield batch
        self.ended = True


def watch_datasets() -> None:
    """Note for each `tf.data.Dataset` at which line of the user's it was built."""

    def built(original: Callable[..., Any], dataset: Any, *args: Any, **kw: Any) -> None:
        original(dataset, *args, **kw)
        place = user_place(sys._getframe(1))
        if place is not None:
            # Past the tracking of TensorFlow's own attributes.
            object.__setattr__(dataset, _PLACE, place)

    wrap(tf.data.Dataset, "__init__", built)


def describe(x: Any, y: Any, batch_size: int | None, steps: int | None) -> dict[str, Any]:
    """What a source is, as plain values.

    Args:
        x: What `fit` was given.
        y: Targets, where they come apart.
        batch_size: As given.
        steps: Steps per epoch as given.

    Returns:
        ``kind`` and ``built`` always; ``batches`` of one pass, ``examples``, ``place``,
        ``shuffles`` where they are known; ``batches`` is -1 for a source without end.
    """
    if isinstance(x, tf.data.Dataset):
        return _dataset(x)
    if isinstance(x, keras.utils.PyDataset):
        return _py_dataset(x)
    if isinstance(x, types.GeneratorType):
        code = x.gi_code
        return {
            "kind": "generator",
            "built": f"generator {code.co_name}()",
            "place": place_of(code),
            "batches": None,
        }
    first = next((leaf for leaf in tf.nest.flatten(x) if hasattr(leaf, "shape")), None)
    if first is None or not len(getattr(first, "shape", ())):
        return {"kind": type(x).__name__, "built": type(x).__name__, "batches": None}
    return _arrays(first, y, batch_size, steps)


def _arrays(x: Any, y: Any, batch_size: int | None, steps: int | None) -> dict[str, Any]:
    examples = int(x.shape[0])
    size = batch_size or (-(-examples // steps) if steps else 32)
    shape = "x".join(str(side) for side in x.shape[1:]) or "1"
    return {
        "kind": "arrays",
        "built": f"{examples} examples of {shape} in memory",
        "examples": examples,
        "batches": -(-examples // size),
        "batch_size": size,
        "batch_size_given": batch_size is not None,
        "labels": _labels(y),
    }


def _labels(y: Any) -> list[float] | None:
    """Which labels there are, where they are few: what class weights are for."""
    if not isinstance(y, np.ndarray) or y.size > 10**7 or y.dtype.kind not in "iufb":
        return None
    values = np.argmax(y, axis=-1) if y.ndim > 1 and y.shape[-1] > 1 else y
    labels = np.unique(values)
    return [float(label) for label in labels] if len(labels) <= _MOST_LABELS else None


def _py_dataset(x: Any) -> dict[str, Any]:
    try:
        count = x.num_batches
    except NotImplementedError:
        count = None
    code = getattr(type(x).__getitem__, "__code__", None)
    return {
        "kind": "py_dataset",
        "built": type(x).__name__,
        "place": None if code is None else place_of(code),
        "batches": None if count is None else int(count),
    }


def _dataset(dataset: Any) -> dict[str, Any]:
    stages: list[str] = []
    place, shuffles, repeats = None, False, False
    one = dataset
    while one is not None and len(stages) < _MOST_STAGES:
        name = _stage(type(one).__name__)
        if name not in {"model", "options"}:
            stages.append(name)
        place = place or getattr(one, _PLACE, None)
        shuffles |= name == "shuffle" and bool(
            getattr(one, "_reshuffle_each_iteration", True) is not False
        )
        repeats |= name == "repeat"
        one = getattr(one, "_input_dataset", None)
    try:
        count: int | None = int(dataset.cardinality())
    except (tf.errors.OpError, TypeError, ValueError):
        count = None
    return {
        "kind": "tf.data",
        "built": " -> ".join(reversed(stages)),
        "place": place,
        "batches": None if count == tf.data.UNKNOWN_CARDINALITY else count,
        "shuffles": shuffles,
        "repeats": repeats,
        "static_size": _static_size(dataset),
    }


def _static_size(dataset: Any) -> int | None:
    """The size of a batch where it is part of the dataset's type."""
    leaves = tf.nest.flatten(dataset.element_spec)
    shape = getattr(leaves[0], "shape", None) if leaves else None
    known = shape is not None and shape.rank and shape[0] is not None
    return int(shape[0]) if known and shape is not None else None


def _stage(name: str) -> str:
    """The method that makes a dataset of this class: ``_ParallelMapDataset`` is ``map``."""
    plain = name.strip("_").removesuffix("V2").removesuffix("Dataset").removeprefix("Parallel")
    words = "".join(f"_{c.lower()}" if c.isupper() else c for c in plain).lstrip("_")
    return {"tensor_slice": "from_tensor_slices", "tensor": "from_tensors"}.get(words, words)
