"""Columns of the step table out of the rows that a graph has written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["COUNTERS", "MEASURES", "step_columns"]

MEASURES = (
    "loss",
    "learning_rate",
    "half_square",
    "iterations_before",
    "batch_size",
    "iterations_after",
    "clipped_norm",
    "loss_scale",
)
"""Columns of the table of measures; the last three are only there where they are needed.

Whole numbers stand beside real ones: a second table would cost a step as much as all its columns.
"""

COUNTERS = ("learning_rate", "iterations_before", "batch_size")

_WHOLE = ("iterations_before", "iterations_after", "batch_size")


def step_columns(
    tables: Mapping[str, NDArray[Any]],
    measures: Sequence[str],
    *,
    final_count: Callable[[], int],
    sizes: Sequence[int],
    without_gradient: Sequence[int],
) -> dict[str, NDArray[Any]]:
    """One array of length n for each column, n the number of rows.

    Args:
        tables: What was written, one row a step.
        measures: Names of the columns of the table ``measures``.
        final_count: Tells the optimizer's count after the last row, where the rows don't.
        sizes: Numbers of each trainable variable.
        without_gradient: Indices of those that had no gradient in any step.
    """
    rows = tables["measures"].astype(np.float64)
    columns: dict[str, NDArray[Any]] = {name: rows[:, i] for i, name in enumerate(measures)}
    columns |= {name: columns[name].astype(np.int64) for name in _WHOLE if name in columns}
    if "iterations_before" in columns and "iterations_after" not in columns:
        following = np.append(columns["iterations_before"][1:], np.int64(final_count()))
        columns["iterations_after"] = following[: len(rows)]
    columns.setdefault("clipped_norm", np.full(len(rows), np.nan))
    scale = columns.setdefault("loss_scale", np.ones(len(rows)))
    half_square = columns.pop("half_square")
    if "raw" in tables:
        columns["gradient_norm"] = _exact_norm(tables, sizes, without_gradient)
    else:
        columns["gradient_norm"] = np.sqrt(2.0 * half_square) / scale
    return columns


def _exact_norm(
    tables: Mapping[str, NDArray[Any]], sizes: Sequence[int], without_gradient: Sequence[int]
) -> NDArray[np.float64]:
    """Global norm in float64; NaN counts unless it only says that there is no gradient."""
    raw = tables["raw"]
    missing = np.zeros((len(raw), len(sizes)), bool)
    missing |= tables.get("missing", missing).astype(bool)
    missing[:, list(without_gradient)] = True
    held = np.where(np.repeat(missing, sizes, axis=1), 0.0, raw)
    with np.errstate(over="ignore"):
        norm: NDArray[np.float64] = np.linalg.norm(held, axis=1)
    return norm
