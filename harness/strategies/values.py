"""Values of whole pipelines: what changes without compiling anything anew."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from harness.spec.vary import Part

    Read = Callable[[str], Any]

__all__ = ["values"]

_MOST_STEPS: Final = 10
_USUAL: Final = 7
"""Plain rows of gradients for each special one."""


def values(parts: Collection[Part], read: Read) -> st.SearchStrategy[dict[str, Any]]:
    """A value under every key that a structure leaves open.

    Args:
        parts: What of the pipeline varies.
        read: The value under a dotted key in the structure, else in the file.
    """

    @st.composite
    def drawn(draw: st.DrawFn) -> dict[str, Any]:
        found: dict[str, Any] = {}
        # Drawn even if not needed: without a schedule the draws behind it stay what they are.
        rate = draw(_eighths(0, 4)) / 4
        if "optimizer" in parts and not isinstance(read("optimizer.learning_rate"), dict):
            found["optimizer.learning_rate"] = rate
        if "gradients" in parts:
            found |= draw(_gradients(read))
            return found
        if "data" in parts:
            found |= draw(_data(read))
        if "training" in parts:
            found |= draw(_training(read))
        if "validation" in parts:
            found |= draw(_validation(read))
        if "callbacks" in parts:
            found |= draw(_callbacks(read))
        return found

    return drawn()


def _eighths(low: int, high: int) -> st.SearchStrategy[float]:
    """Multiples of 1/8, which every dtype holds exactly."""
    return st.integers(8 * low, 8 * high).map(lambda count: count / 8)


def _seldom() -> st.SearchStrategy[bool]:
    return st.sampled_from((False, False, True))


def _size(shapes: Any) -> int:
    return sum(math.prod(shape) for shape in shapes)


@st.composite
def _gradients(draw: st.DrawFn, read: Read) -> dict[str, Any]:
    size = _size(read("model.shapes"))
    row = st.lists(_eighths(-4, 4), min_size=size, max_size=size)
    rows = draw(st.lists(row, min_size=1, max_size=_MOST_STEPS))
    special = [0.0] if read("precision.loss_scale") is None else [math.inf, math.nan]
    for gradients in rows:
        if draw(st.integers(0, _USUAL)) == _USUAL:
            gradients[0] = draw(st.sampled_from(special))
    initial = draw(st.lists(_eighths(-4, 4), min_size=size, max_size=size))
    return {"training.gradients": rows, "model.initial": initial}


@st.composite
def _data(draw: st.DrawFn, read: Read) -> dict[str, Any]:
    source = read("data.source")
    found: dict[str, Any] = {
        "data.examples": draw(st.integers(8, 24)),
        "data.seed": draw(st.integers(0, 99)),
    }
    fit = read("training.kind") == "fit"
    if source in ("dataset", "dataset_unknown", "generator"):
        found["data.repeat"] = draw(st.sampled_from((1, 1, 2, 3) if fit else (1, 2)))
    if source != "array" and draw(st.booleans()):
        found["data.drop_remainder"] = True
    if source in ("array", "dataset") and draw(st.booleans()):
        found["data.shuffle"] = source == "dataset"
    return found


@st.composite
def _training(draw: st.DrawFn, read: Read) -> dict[str, Any]:
    epochs = draw(st.integers(1, 3))
    chosen: dict[str, Any] = {"training.epochs": epochs}
    if draw(_seldom()):
        chosen["training.steps_per_epoch"] = draw(st.integers(1, 5))
    if read("training.kind") != "fit":
        return chosen
    if draw(_seldom()):
        chosen["training.initial_epoch"] = draw(st.integers(0, epochs - 1))
    classes = {"blobs": 3, "logistic_regression": 2}.get(read("data.kind"))
    if classes is not None and draw(st.booleans()):
        weights = st.lists(_eighths(0, 3), min_size=classes, max_size=classes)
        chosen["training.class_weight"] = draw(weights)
    return chosen


@st.composite
def _validation(draw: st.DrawFn, read: Read) -> dict[str, Any]:
    if read("training.kind") != "fit" or not draw(st.booleans()):
        return {}
    table: dict[str, Any] = {"split": draw(st.sampled_from((0.25, 0.5)))}
    if draw(st.booleans()):
        table["batch_size"] = draw(st.sampled_from((1, 3, 5)))
    if draw(st.booleans()):
        table["validation_freq"] = draw(st.integers(1, 2))
    table["source"] = draw(st.sampled_from(("array", "dataset", "py_dataset")))
    return {"validation": table}


@st.composite
def _callbacks(draw: st.DrawFn, read: Read) -> dict[str, Any]:
    if read("training.kind") != "fit":
        return {}
    kinds = ["early_stopping", "silent_stopper", "csv_logger"]
    if not isinstance(read("optimizer.learning_rate"), dict):
        kinds += ["reduce_lr_on_plateau", "step_decay"]
    chosen = draw(st.lists(st.sampled_from(kinds), max_size=2, unique=True))
    script = draw(st.lists(_eighths(-1, 1), min_size=1, max_size=3)) if chosen else []
    return {"callbacks": [draw(_callback(kind, script)) for kind in chosen]}


@st.composite
def _callback(draw: st.DrawFn, kind: str, script: list[float]) -> dict[str, Any]:
    table: dict[str, Any] = {"kind": kind}
    match kind:
        case "early_stopping":
            table |= {"monitor": "val_loss", "scripted": True, "script": script}
            table |= {"patience": draw(st.integers(0, 2))}
            table |= {"restore_best_weights": draw(st.booleans())}
        case "reduce_lr_on_plateau":
            table |= {"monitor": "val_loss", "scripted": True, "script": script}
            table |= {"patience": draw(st.integers(0, 2)), "factor": 0.5}
        case "silent_stopper":
            table |= {"epoch": draw(st.integers(0, 2))}
        case "step_decay":
            table |= {"initial": 0.125, "epochs_drop": draw(st.integers(1, 2))}
    return table
