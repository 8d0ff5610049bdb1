"""Live data as a preflight plan sees them: counted where that costs nothing, never read."""

from __future__ import annotations

import inspect
import math
import sys
import types
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from harness.pipeline.plan_datasets import dataset_plan, is_dataset
from harness.pipeline.plan_labels import label_plan
from harness.preflight import SourcePlan

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["source_plan", "validation_plan"]

_DEFAULT_BATCH: Final = 32


def source_plan(model: Any, given: Mapping[str, Any], *, split_done: bool) -> SourcePlan:
    """The training data."""
    x, y = given["x"], given["y"]
    total = _examples(x)
    split = 0.0 if given["validation_data"] is not None else given["validation_split"] or 0.0
    if total is None or not split:
        plan = _source(
            model,
            x,
            batch_size=given["batch_size"],
            steps=given["steps_per_epoch"],
            shuffle=given["shuffle"],
            class_weight=given["class_weight"],
        )
        held_out = None
        if split_done and isinstance(given["validation_data"], tuple | list):
            held_out = given["validation_data"][1] if len(given["validation_data"]) > 1 else None
    else:
        kept = math.floor(total * (1.0 - split))
        plan = _arrays(kept, given["batch_size"], given["steps_per_epoch"], given["shuffle"])
        if y is not None and _examples(y) == total:
            y, held_out = y[:kept], y[kept:]
        else:
            held_out = None
    if plan.kind != "arrays":
        return plan
    return replace(plan, labels=label_plan(model, y, held_out, given["class_weight"]))


def validation_plan(model: Any, given: Mapping[str, Any]) -> SourcePlan | None:
    """The validation data."""
    data, size = given["validation_data"], given["validation_batch_size"] or given["batch_size"]
    if data is None:
        split = given["validation_split"] or 0.0
        total = _examples(given["x"])
        if not split or total is None:
            return None
        return _arrays(total - math.floor(total * (1.0 - split)), size, None, shuffle=False)
    x = data[0] if isinstance(data, tuple | list) and data else data
    return _source(model, x, batch_size=size, steps=None, shuffle=False)


def _source(
    model: Any,
    x: Any,
    *,
    batch_size: int | None,
    steps: int | None,
    shuffle: Any,
    class_weight: Any = None,
) -> SourcePlan:
    if is_dataset(x):
        return dataset_plan(model, x, class_weight)
    if isinstance(x, types.GeneratorType):
        return SourcePlan(kind="generator", shuffled=None)
    examples = _examples(x)
    if examples is not None:
        return _arrays(examples, batch_size, steps, shuffle)
    keras = sys.modules.get("keras")
    if keras is not None and isinstance(x, keras.utils.PyDataset):
        batches = getattr(x, "num_batches", None)
        return SourcePlan(kind="py_dataset", batches=batches, infinite=batches is None)
    if inspect.isfunction(x) or inspect.ismethod(x):
        return SourcePlan(kind="function")
    return SourcePlan(kind="other")


def _arrays(examples: int, batch_size: int | None, steps: int | None, shuffle: Any) -> SourcePlan:
    size = batch_size or (math.ceil(examples / steps) if steps else _DEFAULT_BATCH)
    return SourcePlan(
        kind="arrays",
        batches=math.ceil(examples / size),
        examples=examples,
        batch_size=size,
        batched=True,
        shuffled=bool(shuffle),
    )


def _examples(x: Any) -> int | None:
    """Length of the first axis of arrays, however they are nested; None for anything else."""
    if isinstance(x, dict):
        x = tuple(x.values())
    if isinstance(x, tuple | list):
        return _examples(x[0]) if x else None
    shape = getattr(x, "shape", None)
    if shape is None or is_dataset(x) or not len(shape):
        return None
    return None if shape[0] is None else int(np.asarray(shape[0]))
