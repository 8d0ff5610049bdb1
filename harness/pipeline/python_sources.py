"""Sources whose batches are made in Python: generators, functions and PyDatasets."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Any

from harness.pipeline.backend import import_keras, import_tensorflow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.pipeline.data import Examples
    from harness.pipeline.tally import Tally
    from harness.spec.data import DataSpec

__all__ = ["from_generator", "generator", "py_dataset"]

_MANY = 1_000_000_000


def generator(examples: Examples, spec: DataSpec, tally: Tally) -> Iterator[tuple[Any, ...]]:
    """One generator: what was drawn from it is gone."""
    yield from _passes(examples, spec, tally)
    tally.call("exhausted")


def from_generator(examples: Examples, spec: DataSpec, tally: Tally) -> Any:
    """A ``tf.data.Dataset`` that calls a Python function for each pass over it.

    Where passes have lengths of their own, the function counts how often it was called.
    """
    tf = import_tensorflow()
    lengths = spec.pass_lengths
    begun: list[int] = []

    def batches() -> Iterator[tuple[Any, ...]]:
        begun.append(len(begun))
        tally.call("pass")
        if lengths is None:
            yield from _passes(examples, spec, tally)
            return
        length = lengths[min(begun[-1], len(lengths) - 1)]
        yield from _batches(examples.cut(slice(length * spec.batch_size)), spec, tally)

    rows = spec.batch_size if spec.drop_remainder else None
    signature = tf.nest.map_structure(
        lambda array: tf.TensorSpec((rows, *array.shape[1:]), array.dtype), examples.arrays()
    )
    return tf.data.Dataset.from_generator(batches, output_signature=signature)


def py_dataset(examples: Examples, spec: DataSpec, tally: Tally) -> Any:
    """A ``keras.utils.PyDataset`` that notes its hooks and each batch it builds."""
    keras = import_keras()
    divide = math.floor if spec.drop_remainder else math.ceil
    length = divide(len(examples) / spec.batch_size)
    built = threading.Event()

    class Batches(keras.utils.PyDataset):  # type: ignore[misc, name-defined]
        def __len__(self) -> int:
            return length

        @property
        def num_batches(self) -> int | None:
            return length if spec.repeat else None

        def __getitem__(self, index: int) -> tuple[Any, ...]:
            start = index % length * spec.batch_size
            batch = examples.cut(slice(start, start + spec.batch_size))
            built.set()
            tally.count(len(batch), index=index)
            return batch.arrays()

        def on_epoch_begin(self) -> None:
            tally.call("on_epoch_begin")
            if spec.begin_seconds:
                # Keras reads no batch meanwhile, so that whatever is built is built too early.
                built.wait(spec.begin_seconds)
            tally.tell("epoch_begun")

        def on_epoch_end(self) -> None:
            built.clear()
            tally.call("on_epoch_end")

    return Batches(workers=spec.workers, max_queue_size=spec.max_queue_size)


def _passes(examples: Examples, spec: DataSpec, tally: Tally) -> Iterator[tuple[Any, ...]]:
    for _ in range(spec.repeat or _MANY):
        yield from _batches(examples, spec, tally)


def _batches(examples: Examples, spec: DataSpec, tally: Tally) -> Iterator[tuple[Any, ...]]:
    for start in range(0, len(examples), spec.batch_size):
        batch = examples.cut(slice(start, start + spec.batch_size))
        if spec.drop_remainder and len(batch) < spec.batch_size:
            continue
        tally.count(len(batch))
        yield batch.arrays()
