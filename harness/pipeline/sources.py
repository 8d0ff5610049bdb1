"""How the batches reach the training loop, counted at the source as they are handed out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_never

import numpy as np

from harness.pipeline.backend import import_tensorflow
from harness.pipeline.datasets import (
    calm_options,
    counted_batches,
    new_counter,
)
from harness.pipeline.python_sources import from_generator, generator, py_dataset
from harness.pipeline.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.pipeline.data import Examples
    from harness.spec.data import DataSpec, SourceKind

__all__ = ["Source", "Tally", "build_source"]

_WHOLE = ("array", "tensor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One way of handing examples over.

    Attributes:
        kind: Which way.
        examples: All examples.
        data: What goes into ``fit`` as x; inputs, targets and weights of arrays and tensors.
        batch_size: Examples per batch.
        passes: Passes over the examples before a source ends; None never ends.
        drop_remainder: A batch that is not full is left out.
        shuffle: Whether the order differs from the order of the examples.
        tally: What was handed out; arrays and tensors don't count.
        counted: Whether `tally` means anything.
        varying: Passes differ in length.
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
    varying: bool
    order: np.random.Generator

    @property
    def batches(self) -> int | None:
        """Batches from its beginning to its end; None never ends, or nobody can know."""
        if self.passes is None or self.varying:
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
        if not self.whole:
            return {"x": self.data}
        arguments = dict(zip(("x", "y", "sample_weight"), self.data, strict=False))
        return {**arguments, "batch_size": self.batch_size}

    @property
    def whole(self) -> bool:
        """Whether all examples are handed over at once, and Keras makes the batches."""
        return self.kind in _WHOLE

    def with_rest(self, rest: Examples) -> dict[str, Any]:
        """The same arguments with more examples behind one's own, which Keras is to hold out."""
        pairs = zip(self.examples.arrays(), rest.arrays(), strict=True)
        arrays: Any = tuple(np.concatenate(pair) for pair in pairs)
        if self.kind == "tensor":
            arrays = import_tensorflow().nest.map_structure(
                import_tensorflow().convert_to_tensor, arrays
            )
        return dict(zip(("x", "y", "sample_weight"), arrays, strict=False))

    def epoch(self) -> Iterator[tuple[Any, ...]]:
        """The batches of one epoch, for loops that are not Keras'.

        Only a generator goes on where the last epoch left it; everything else starts again.
        """
        match self.kind:
            case "array" | "tensor":
                return _slices(self)
            case "dataset" | "dataset_unknown" | "from_generator" | "generator":
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
    tally = Tally(fails_at=spec.fails_at)
    shuffle = kind in (*_WHOLE, "py_dataset") if spec.shuffle is None else spec.shuffle
    data: Any
    match kind:
        case "array":
            data = examples.arrays()
        case "tensor":
            tf = import_tensorflow()
            data = tf.nest.map_structure(tf.convert_to_tensor, examples.arrays())
        case "dataset" | "dataset_unknown":
            tally.counter = new_counter()
            data = counted_batches(
                examples,
                spec,
                tally.counter,
                shuffle=shuffle,
                seed=seed,
                unknown=kind == "dataset_unknown",
            )
        case "generator":
            data = generator(examples, spec, tally)
        case "from_generator":
            data = from_generator(examples, spec, tally).with_options(calm_options())
        case "py_dataset":
            data = py_dataset(examples, spec, tally)
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
        counted=kind not in _WHOLE,
        varying=kind == "from_generator" and spec.pass_lengths is not None,
        order=np.random.default_rng(seed),
    )


def _slices(source: Source) -> Iterator[tuple[Any, ...]]:
    order = np.arange(len(source.examples))
    if source.shuffle:
        source.order.shuffle(order)
    for start in range(0, len(order), source.batch_size):
        yield source.examples.cut(order[start : start + source.batch_size]).arrays()
