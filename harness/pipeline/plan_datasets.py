"""A ``tf.data.Dataset`` as a preflight plan sees it.

The chain behind a dataset has no public interface. What is read of it is read with care: where it
is not what it was in TensorFlow 2.18 to 2.21, nothing is known.
"""

from __future__ import annotations

import sys
from typing import Any, Final

import numpy as np

from harness.pipeline.plan_labels import label_plan
from harness.preflight import SourcePlan

__all__ = ["dataset_plan", "is_dataset"]

_INFINITE: Final = -1
_SAME_ELEMENTS: Final = (
    "_CacheDataset",
    "CacheDataset",
    "_OptionsDataset",
    "_PrefetchDataset",
    "_ShuffleDataset",
    "ShuffleDataset",
)
"""Steps of a chain that hand on all they get."""


def is_dataset(x: Any) -> bool:
    """Whether it is a dataset; TensorFlow is there already if it is."""
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and isinstance(x, tensorflow.data.Dataset)


def dataset_plan(model: Any, dataset: Any, class_weight: Any) -> SourcePlan:
    """What a dataset says about itself."""
    count = int(dataset.cardinality())
    above, batch, below = _chain(dataset)
    plain = batch is not None and all(type(item).__name__ in _SAME_ELEMENTS for item in above)
    examples = size = labels = None
    shuffled = None
    if batch is not None and plain:
        size = _number(getattr(batch, "_batch_size", None))
        drops = _number(getattr(batch, "_drop_remainder", None))
        inner = int(batch._input_dataset.cardinality())  # noqa: SLF001 - no public way
        if size and inner >= 0 and drops is not None:
            examples = inner - inner % size if drops else inner
        if all(type(item).__name__ in (*_SAME_ELEMENTS, "_TensorSliceDataset") for item in below):
            shuffled = any(_shuffles(item) for item in (*above, *below))
            labels = label_plan(model, _targets(below), None, class_weight)
    return SourcePlan(
        kind="dataset",
        batches=None if count < 0 else count,
        infinite=count == _INFINITE,
        examples=examples,
        batch_size=size or None,
        batched=_batched(model, dataset.element_spec),
        shuffled=shuffled,
        labels=labels,
    )


def _chain(dataset: Any) -> tuple[list[Any], Any, list[Any]]:
    """What comes after the batching, the batching, and what comes before it."""
    above: list[Any] = []
    while dataset is not None:
        if type(dataset).__name__ in ("_BatchDataset", "_ParallelBatchDataset"):
            below, inner = [], getattr(dataset, "_input_dataset", None)
            while inner is not None:
                below.append(inner)
                inner = getattr(inner, "_input_dataset", None)
            return above, dataset, below
        above.append(dataset)
        dataset = getattr(dataset, "_input_dataset", None)
    return above, None, []


def _shuffles(dataset: Any) -> bool:
    return "Shuffle" in type(dataset).__name__ and _number(dataset._buffer_size) != 1  # noqa: SLF001


def _targets(below: list[Any]) -> Any:
    """The second of the arrays that a dataset was sliced from."""
    structure: Any = getattr(below[-1], "_structure", None) if below else None
    tensors: Any = getattr(below[-1], "_tensors", None) if below else None
    pair = 2
    if not isinstance(structure, tuple) or tensors is None or len(tensors) != len(structure):
        return None
    return tensors[1] if len(tensors) >= pair else None


def _number(tensor: Any) -> int | None:
    try:
        return int(np.asarray(tensor))
    except (TypeError, ValueError):
        return None


def _batched(model: Any, element: Any) -> bool | None:
    """Whether elements have the batch axis that the model, or a target, asks for."""
    parts = element if isinstance(element, tuple) else (element,)
    ranks = [getattr(getattr(part, "shape", None), "rank", None) for part in parts]
    if len(ranks) > 1 and ranks[1] == 0:
        return False
    inputs = getattr(model, "inputs", None)
    if not inputs or len(inputs) != 1 or ranks[0] is None:
        return None
    wanted = inputs[0].shape
    shape = tuple(parts[0].shape)
    if len(shape) == len(wanted):
        return True
    fits = all(None in pair or pair[0] == pair[1] for pair in zip(shape, wanted[1:], strict=False))
    return False if len(shape) == len(wanted) - 1 and fits else None
