"""Pre-allocated rows that a graph writes one by one and Python reads once at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from harness.errors import PipelineError
from harness.pipeline.values import put_back, read_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["BUDGET_BYTES", "RowBuffers"]

BUDGET_BYTES = 512 * 2**20
"""What the rows of one recording may take."""


class RowBuffers:
    """Several tables of equally many rows, with one place to write next.

    Attributes:
        capacity: Rows that can be read back. There is one more, where whatever comes too late
            goes: a step that finds its iterator empty may still write parts of a row.
    """

    def __init__(self, capacity: int, columns: Mapping[str, tuple[int, str]]) -> None:
        """Allocate everything.

        Args:
            capacity: Most rows that can be read back.
            columns: Width and dtype of each table.

        Raises:
            PipelineError: The tables are larger than the budget.
        """
        self.capacity = capacity
        width = sum(count for count, _ in columns.values())
        size = 8 * capacity * width
        if size > BUDGET_BYTES:
            message = (
                f"recording must fit into {BUDGET_BYTES >> 20} MiB, got {size >> 20} MiB: "
                f"{capacity} rows of {width} numbers. Train fewer steps, use a smaller model, or "
                "leave out the checks that need every variable of every step."
            )
            raise PipelineError(message)
        self._row = tf.Variable(0, dtype="int64", trainable=False)
        self._tables = {
            name: tf.Variable(np.zeros((capacity + 1, count), dtype), trainable=False)
            for name, (count, dtype) in columns.items()
        }

    def __contains__(self, name: str) -> bool:
        """Say whether there is such a table."""
        return name in self._tables

    @property
    def rows(self) -> int:
        """Rows written so far."""
        return int(read_value(self._row))

    def reset(self) -> None:
        """Forget all rows."""
        self.rewind(0)

    def rewind(self, rows: int) -> None:
        """Forget all rows but the first so many."""
        put_back(self._row, tf.constant(rows, tf.int64))

    def write(self, values: Mapping[str, Any], after: Any) -> None:
        """Write one row of each table, from inside a graph or not.

        Args:
            values: A row of each table.
            after: A tensor without which the row does not count.
        """
        row = self._row.read_value()
        for name, value in values.items():
            # Four times as cheap as `scatter_nd_update`.
            tf.raw_ops.ResourceScatterUpdate(
                resource=self._tables[name].handle, indices=row, updates=value
            )
        with tf.control_dependencies([after]):
            self._row.assign_add(1)

    def read_rows(self, name: str, start: int) -> NDArray[Any]:
        """The rows of one table from `start` on, while more are still to come."""
        stop = min(self.rows, self.capacity)
        table = self._tables[name]
        wanted = tf.range(start, max(start, stop), dtype=tf.int64)
        rows: NDArray[Any] = tf.gather(table, wanted).numpy()
        return rows

    def read(self) -> dict[str, NDArray[Any]]:
        """All rows of each table.

        Raises:
            PipelineError: More rows were written than there are.
        """
        rows = self.rows
        if rows > self.capacity:
            message = (
                f"recorder must have a row for every step, got {rows} steps for "
                f"{self.capacity} rows. The run was longer than its plan allows."
            )
            raise PipelineError(message)
        return {name: read_value(table)[:rows] for name, table in self._tables.items()}
