"""What a TensorBoard callback has written: scalars and histograms, one event each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from harness.trace import Event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["is_summary_file", "summary_events"]

_EDGES_AND_COUNT = 3
"""A histogram is a table of (left edge, right edge, count), one row a bucket."""


def is_summary_file(path: Path) -> bool:
    """Whether TensorFlow's summary writer has written the file, by the name it gives."""
    return path.name.startswith("events.out.tfevents.")


def summary_events(path: Path) -> Iterator[Event]:
    """The summaries in a file, in the order in which they were written.

    Args:
        path: In a folder that has the name of the run, ``train`` or ``validation``.
    """
    from tensorflow.core.util import event_pb2  # noqa: PLC0415 - most runs have none

    for record in tf.data.TFRecordDataset(str(path)):
        written = event_pb2.Event.FromString(record.numpy())
        for value in written.summary.value:
            detail: dict[str, str | float] = {"run": path.parent.name, "step": int(written.step)}
            if value.HasField("tensor"):
                held = tf.make_ndarray(value.tensor)
                if held.ndim == 0 and np.issubdtype(held.dtype, np.number):
                    detail["value"] = float(held)
                elif held.ndim == 2 and held.shape[1] == _EDGES_AND_COUNT:  # noqa: PLR2004 - a table
                    detail |= {"count": float(held[:, 2].sum()), "buckets": len(held)}
                    if len(held):
                        detail |= {"low": float(held[0, 0]), "high": float(held[-1, 1])}
            yield Event(kind="summary", name=value.tag, detail=detail)
