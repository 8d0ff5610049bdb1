from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from harness.errors import PipelineError
from harness.recorders.buffers import RowBuffers


def test_rows_come_back_in_the_order_they_were_written() -> None:
    """Each table keeps its own width and dtype."""
    buffers = RowBuffers(4, {"a": (2, "float32"), "b": (1, "int64")})
    for row in range(3):
        values = tf.constant([row, -row], "float32")
        buffers.write({"a": values, "b": tf.constant([row], "int64")}, after=values)
    read = buffers.read()
    assert read["a"].tolist() == [[0, 0], [1, -1], [2, -2]]
    assert (read["a"].dtype, read["b"].dtype) == (np.dtype("float32"), np.dtype("int64"))
    assert ("a" in buffers, "c" in buffers) == (True, False)
    buffers.reset()
    assert (buffers.rows, len(buffers.read()["a"])) == (0, 0)


def test_more_rows_than_there_are_is_an_error_that_spares_the_others() -> None:
    """The last good row is not overwritten."""
    buffers = RowBuffers(2, {"a": (1, "float64")})
    for row in range(2):
        buffers.write({"a": tf.constant([row], "float64")}, after=tf.constant(0))
    partial = tf.constant([9.0], "float64")
    tf.raw_ops.ResourceScatterUpdate(
        resource=buffers._tables["a"].handle, indices=buffers.capacity, updates=partial
    )
    assert buffers.read()["a"].tolist() == [[0.0], [1.0]]
    buffers.write({"a": partial}, after=partial)
    with pytest.raises(PipelineError) as caught:
        buffers.read()
    assert str(caught.value) == (
        "recorder must have a row for every step, got 3 steps for 2 rows. "
        "The run was longer than its plan allows."
    )


def test_a_recording_larger_than_its_budget_is_refused() -> None:
    """Before anything is allocated."""
    with pytest.raises(PipelineError) as caught:
        RowBuffers(2**20, {"before": (128, "float64"), "after": (128, "float64")})
    assert str(caught.value) == (
        "recording must fit into 512 MiB, got 2048 MiB: 1048576 rows of 256 numbers. Train fewer "
        "steps, use a smaller model, or leave out the checks that need every variable of every "
        "step."
    )
