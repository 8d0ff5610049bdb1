"""What each optimizer does in each step, written inside the graph and read in bulk.

A lane belongs to one optimizer. It is a ring of rows in a variable; a row holds a few measures of
the step and half the square of the norm of each gradient. Whoever reads it in time, once a second
or at the end of an epoch, loses nothing.
"""

from __future__ import annotations

import base64
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import tensorflow as tf

from harness.recorders.measures import read

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MEASURES", "Lane", "Measured", "made_apart", "pack_rows"]

MEASURES: Final = ("loss", "learning_rate", "loss_scale", "batch_size", "half_square_move")

_RING_BYTES: Final = 4 * 2**20
_MOST_ROWS: Final = 1 << 15
_MOST_GRADIENTS: Final = 256
"""Of models with more variables only the norms of the first are told apart."""

_SAMPLED_VARIABLES: Final = 3
_SAMPLED_ELEMENTS: Final = 2048
"""How far the weights moved is compared from step to step, so that a fixed sample will do."""


@dataclass(slots=True)
class Measured:
    """What is known of one step, as tensors, before its row is written.

    Attributes:
        loss: The loss before scaling; None where nobody saw it.
        size: Examples in the batch; None where nobody knows.
        graph: The graph that the step is traced in; None where it runs eagerly.
        lane: The optimizer's lane, once it has applied something.
        rate: Learning rate.
        scale: Loss scale.
        after: Sampled weights after the update.
        squares: Half squares of the gradients.
    """

    loss: Any = None
    size: Any = None
    graph: Any = None
    lane: Lane | None = None
    rate: Any = None
    scale: Any = None
    after: Any = None
    squares: Any = ()


class Lane:
    """The rows of one optimizer.

    Attributes:
        number: Which one, from 0, in the order of first use.
        paths: Paths of the trainable variables.
        read_rows: Rows that have been read.
        traces: How often its update was traced.
    """

    def __init__(self, number: int, optimizer: Any, variables: list[Any]) -> None:
        """Allocate the ring.

        Args:
            number: Of this lane.
            optimizer: Whose.
            variables: What it trains.
        """
        self.number = number
        self.optimizer = optimizer
        self.kind = type(optimizer).__name__
        self.paths = [str(getattr(v, "path", getattr(v, "name", v))) for v in variables]
        self.columns = min(len(variables), _MOST_GRADIENTS)
        width = len(MEASURES) + self.columns
        self.capacity = max(min(_RING_BYTES // (4 * width), _MOST_ROWS), 64)
        self.read_rows = 0
        self.traces = 0
        self._samples = [_sample_of(variable) for variable in _sampled_variables(variables)]
        self._row = made_apart(np.int64(0))
        self._ring = made_apart(np.zeros((self.capacity, width), "float32"))
        width = sum(
            int(np.prod(v.shape)) if rows is None else len(rows) * int(np.prod(v.shape[1:]))
            for v, rows in self._samples
        )
        self._last = made_apart(np.full(width, np.nan, "float32"))
        self._eager = tf.function(self._write_row, reduce_retracing=True)
        self._eager_squares = tf.function(squares_of, reduce_retracing=True)
        self._eager_samples = tf.function(self._sample)

    def before(self, measured: Measured, gradients: list[Any]) -> None:
        """Measure what is there before the update.

        Args:
            measured: Of this step.
            gradients: One a variable, None where there is none.
        """
        inner = getattr(self.optimizer, "inner_optimizer", self.optimizer)
        rate = getattr(inner, "learning_rate", None)
        measured.rate = np.nan if rate is None or callable(rate) else read(rate)
        scale = getattr(self.optimizer, "dynamic_scale", None)
        measured.scale = 1.0 if scale is None else read(scale)
        kept = [g if g is not None else 0.0 for g in gradients[: self.columns]]
        kept = [getattr(g, "values", g) for g in kept]
        measured.squares = self._eager_squares(kept) if tf.executing_eagerly() else squares_of(kept)
        measured.lane = self

    def after(self, measured: Measured) -> None:
        """Measure how far the update moved the weights."""
        measured.after = self._eager_samples() if tf.executing_eagerly() else self._sample()

    def write(self, measured: Measured) -> None:
        """Write the row of a step that is done."""
        values = [
            measured.loss if measured.loss is not None else np.nan,
            measured.rate,
            measured.scale,
            measured.size if measured.size is not None else np.nan,
        ]
        values = [tf.cast(value, "float32") for value in values]
        write = self._eager if tf.executing_eagerly() else self._write_row
        write(values, measured.squares, measured.after)

    def _write_row(self, values: list[Any], squares: Any, after: Any) -> None:
        values = [tf.reduce_mean(value) if value.shape.rank else value for value in values]
        # Between two updates the weights stay; who sets them by hand makes one long move of it.
        moved = tf.nn.l2_loss(after - self._last.read_value())
        self._last.assign(after)
        row = tf.stack([*values, moved, *squares])
        place = self._row.read_value()
        # Four times as cheap as `scatter_nd_update`.
        tf.raw_ops.ResourceScatterUpdate(
            resource=self._ring.handle, indices=place % self.capacity, updates=row
        )
        with tf.control_dependencies([row]):
            self._row.assign_add(1)

    def _sample(self) -> Any:
        parts = [_sampled(variable, rows) for variable, rows in self._samples]
        return tf.concat([tf.cast(tf.reshape(part, [-1]), "float32") for part in parts], axis=0)

    @property
    def rows(self) -> int:
        """Rows written so far."""
        return int(self._row.numpy())

    def take(self) -> tuple[int, NDArray[np.float32]]:
        """Rows that have not been read yet, and the number of the first of them.

        What the ring has overwritten is gone, and shows by that number.
        """
        stop = self.rows
        first = max(self.read_rows, stop - self.capacity)
        self.read_rows = stop
        if first >= stop:
            return first, np.zeros((0, len(MEASURES) + self.columns), np.float32)
        rows = np.arange(first, stop, dtype=np.int64) % self.capacity
        values: NDArray[np.float32] = tf.gather(self._ring, rows).numpy()
        return first, values


def made_apart(value: Any) -> Any:
    """A variable of its own, made in another thread.

    One that a function which is being traced finds to be made within it, `init_scope` or not, makes
    TensorFlow trace that function a second time, and what the user prints there appears twice.
    """
    made: list[Any] = []
    thread = threading.Thread(
        target=lambda: made.append(tf.Variable(value, trainable=False, name="observed"))
    )
    thread.start()
    thread.join()
    return made[0]


def squares_of(gradients: list[Any]) -> list[Any]:
    """Half the square of the norm of each gradient."""
    return [tf.nn.l2_loss(tf.cast(gradient, "float32")) for gradient in gradients]


def pack_rows(rows: NDArray[np.float32]) -> str:
    """Rows as text for the journal."""
    return base64.b64encode(np.ascontiguousarray(rows, "<f4").tobytes()).decode("ascii")


def _native(variable: Any) -> Any:
    value = getattr(variable, "value", variable)
    return variable if callable(value) or hasattr(variable, "read_value") else value


def _sampled_variables(variables: list[Any]) -> list[Any]:
    """The first, the middle and the last kernel: what has one axis only moves along with them."""
    kernels = [one for one in variables if len(one.shape) > 1] or variables
    chosen = np.linspace(0, len(kernels) - 1, min(len(kernels), _SAMPLED_VARIABLES))
    return [kernels[int(index)] for index in chosen]


def _sample_of(variable: Any) -> tuple[Any, NDArray[np.int64] | None]:
    """A variable and the rows of it that are sampled; None for all of it."""
    shape = tuple(variable.shape)
    size = int(np.prod(shape))
    if size <= _SAMPLED_ELEMENTS or not shape:
        return variable, None
    rows = max(_SAMPLED_ELEMENTS * shape[0] // size, 1)
    chosen = np.linspace(0, shape[0] - 1, rows).astype(np.int64)
    return variable, np.unique(chosen)


def _sampled(variable: Any, rows: NDArray[np.int64] | None) -> Any:
    native = _native(variable)
    return read(variable) if rows is None else tf.gather(native, rows)
