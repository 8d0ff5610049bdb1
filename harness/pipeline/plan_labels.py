"""Integer labels in arrays, where a model classifies and they are few enough to look at."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from harness.preflight import LabelPlan

__all__ = ["label_plan"]

_MOST: Final = 5_000_000
"""Elements that are looked at: 5 million take a tenth of a second."""


def label_plan(model: Any, y: Any, held_out: Any, class_weight: Any) -> LabelPlan | None:
    """Which classes are trained on; None where the targets are no classes.

    Args:
        model: Its loss tells whether it classifies.
        y: Targets that are trained on.
        held_out: Those that were split off; None where there was no split.
        class_weight: Weights of classes say that there are some.
    """
    if class_weight is None and "crossentropy" not in _loss_name(model):
        return None
    labels = _integers(y)
    if labels is None or not len(labels):
        return None
    classes = np.unique(labels)
    away = None if held_out is None else _integers(held_out)
    only = () if away is None else np.setdiff1d(np.unique(away), classes)
    return LabelPlan(
        classes=tuple(int(item) for item in classes),
        ascending=bool(len(classes) > 1 and (np.diff(labels) >= 0).all()),
        held_out_only=tuple(int(item) for item in only),
    )


def _loss_name(model: Any) -> str:
    loss = getattr(model, "loss", None)
    name = loss if isinstance(loss, str) else getattr(loss, "name", None)
    return str(name or getattr(loss, "__name__", "")).lower().replace("_", "")


def _integers(y: Any) -> Any:
    """Labels as integers, by the rules of Keras' class weights; None where they aren't any."""
    shape = getattr(y, "shape", None)
    if shape is None or int(np.prod([int(size) for size in shape])) > _MOST:
        return None
    values = np.asarray(y)
    if values.dtype.kind not in "biuf":
        return None
    if values.ndim > 1 and values.shape[-1] == 1:
        values = values[..., 0]
    if values.ndim == 2 and ((values == 0) | (values == 1)).all():  # noqa: PLR2004 - one-hot rows
        return np.argmax(values, axis=-1) if (values.sum(axis=-1) == 1).all() else None
    if values.ndim != 1 or not np.isfinite(values).all() or (values != np.round(values)).any():
        return None
    return values.astype(np.int64)
