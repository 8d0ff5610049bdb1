"""How the batches reach the training loop, counted at the source as they are handed out."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, assert_never

import numpy as np

from harness.pipeline.backend import import_keras
from harness.pipeline.datasets import counted_batches, new_counter, of_unknown_cardinality

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.pipeline.data import Examples
    from harness.spec.data import DataSpec, SourceKind

__all__ = ["Source", "Tally", "build_source"]

_MANY = 1_000_000_000


@dataclass(slots=True)
class Tally:
    """What a source has handed out so far, and the hooks that were called on it.

    Attributes:
        batches: Batches drawn from the source.
        samples: Examples in them.
        hooks: What else happened to it, in order: ``on_epoch_begin`` and ``on_epoch_end`` of a
            PyDataset were called, a generator was ``exhausted``.
        counter: Batches and examples counted inside a graph.
    """

    batches: int = 0
    samples: int = 0
    hooks: list[str] = field(default_factory=list)
    counter: Any = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, size: int) -> None:
        """Note one batch of `size` examples; several threads may draw at once."""
        with self._lock:
            self.batches += 1
            self.samples += size

    def settle(self) -> None:
        """Take over what was counted inside a graph."""
        if self.counter is not None:
            batches, samples = self.counter.numpy()
            self.batches, self.samples = int(batches), int(samples)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One way of handing examples over.

    Attributes:
        kind: Which way.
        examples: All examples.
        data: What goes into ``fit`` as x; for arrays the inputs.
        batch_size: Examples per batch.
        passes: Passes over the examples before a source ends; None never ends.
        drop_remainder: A batch that is not full is left out.
        shuffle: Whether the order differs from the order of the examples.
        tally: What was handed out; arrays don't count.
        counted: Whether `tally` means anything.
        order: Shuffles arrays in loops that are not Keras'.
    """

    kind: SourceKind
    examples: Examples
    data: Any
    batch_size: int
    passes: int | None
    drop_remainder: bool
    shuffle: bool
    tally: Tally
    counted: bool
    order: np.random.Generator

    @property
    def batches(self) -> int | None:
        """Batches from its beginning to its end; None never ends."""
        if self.passes is None:
            return None
        if self.kind.startswith("dataset"):
            # tf.data repeats examples before it batches them: batches may cross passes.
            return self._cut(len(self.examples) * self.passes)
        return self._cut(len(self.examples)) * self.passes

    def _cut(self, examples: int) -> int:
        divide = math.floor if self.drop_remainder else math.ceil
        return divide(examples / self.batch_size)

    def fit_arguments(self) -> dict[str, Any]:
        """The keyword arguments of ``model.fit`` (and ``evaluate``) that say what to read."""
        if self.kind != "array":
            return {"x": self.data}
        arguments = dict(zip(("x", "y", "sample_weight"), self.examples.arrays(), strict=False))
        return {**arguments, "batch_size": self.batch_size}

    def epoch(self) -> Iterator[tuple[Any, ...]]:
        """The batches of one epoch, for loops that are not Keras'.

        Only a generator goes on where the last epoch left it; everything else starts again.
        """
        match self.kind:
            case "array":
                return _slices(self)
            case "dataset" | "dataset_unknown" | "generator":
                return iter(self.data)
            case "py_dataset":
                return (self.data[index] for index in range(len(self.data)))
            case _:
                assert_never(self.kind)


def build_source(kind: SourceKind, examples: Examples, spec: DataSpec, *, seed: int) -> Source:
    """A fresh source: nothing drawn, nothing counted.

    Args:
        kind: Which way of handing over.
        examples: What is handed over.
        spec: Batch size, shuffling, repetition.
        seed: Seed of a shuffling ``tf.data`` pipeline.
    """
    tally = Tally()
    shuffle = kind in ("array", "py_dataset") if spec.shuffle is None else spec.shuffle
    data: Any
    match kind:
        case "array":
            data = examples.inputs
        case "dataset" | "dataset_unknown":
            tally.counter = new_counter()
            data = counted_batches(examples, spec, tally.counter, shuffle=shuffle, seed=seed)
            if kind == "dataset_unknown":
                data = of_unknown_cardinality(data)
        case "generator":
            data = _generator(examples, spec, tally)
        case "py_dataset":
            data = _py_dataset(examples, spec, tally)
        case _:
            assert_never(kind)
    return Source(
        kind=kind,
        examples=examples,
        data=data,
        batch_size=spec.batch_size,
        passes=spec.repeat or None,
        drop_remainder=spec.drop_remainder,
        shuffle=shuffle,
        tally=tally,
        counted=kind != "array",
        order=np.random.default_rng(seed),
    )


def _slices(source: Source) -> Iterator[tuple[Any, ...]]:
    order = np.arange(len(source.examples))
    if source.shuffle:
        source.order.shuffle(order)
    for start in range(0, len(order), source.batch_size):
        yield source.examples.cut(order[start : start + source.batch_size]).arrays()


def _generator(examples: Examples, spec: DataSpec, tally: Tally) -> Iterator[tuple[Any, ...]]:
    for _ in range(spec.repeat or _MANY):
        for start in range(0, len(examples), spec.batch_size):
            batch = examples.cut(slice(start, start + spec.batch_size))
            if spec.drop_remainder and len(batch) < spec.batch_size:
                continue
            tally.count(len(batch))
            yield batch.arrays()
    tally.hooks.append("exhausted")


def _py_dataset(examples: Examples, spec: DataSpec, tally: Tally) -> Any:
    keras = import_keras()
    divide = math.floor if spec.drop_remainder else math.ceil

    class Batches(keras.utils.PyDataset):  # type: ignore[misc, name-defined]
        def __len__(self) -> int:
            return divide(len(examples) / spec.batch_size)

        def __getitem__(self, index: int) -> tuple[Any, ...]:
            start = index * spec.batch_size
            batch = examples.cut(slice(start, start + spec.batch_size))
            tally.count(len(batch))
            return batch.arrays()

        def on_epoch_begin(self) -> None:
            tally.hooks.append("on_epoch_begin")

        def on_epoch_end(self) -> None:
            tally.hooks.append("on_epoch_end")

    return Batches(workers=spec.workers)
