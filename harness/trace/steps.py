"""One row for each train-step call that got a batch."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray

from harness.errors import HarnessUsageError, ShapeError
from harness.trace._record import (
    Float64,
    Int8,
    Int64,
    Record,
    assign,
    frozen_array,
    require_shape,
    whole,
)

STEP_COLUMNS: Final[dict[str, DTypeLike]] = {
    "epoch": np.int64,
    "batch": np.int64,
    "batch_size": np.int64,
    "loss": np.float64,
    "learning_rate": np.float64,
    "iterations_before": np.int64,
    "iterations_after": np.int64,
    "gradient_norm": np.float64,
    "clipped_norm": np.float64,
    "loss_scale": np.float64,
    "updated": np.int8,
}
"""Columns of a `StepTable` and their dtypes, `sample_ids` excepted."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StepTable(Record):
    """Columns of length n, the number of train-step calls that got a batch.

    Any column but `epoch` and `batch` is None when it was not recorded.

    Attributes:
        epoch: Epoch of the step, from 0.
        batch: Index of the batch within its epoch.
        batch_size: Examples in the batch.
        loss: Loss of this step's batch, as the train step computed it, before any scaling.
        learning_rate: Rate the optimizer used in this step.
        iterations_before: The optimizer's own count when the step began.
        iterations_after: The optimizer's own count when the step ended. Without a record of the
            state it is what the next step found, or what was left after training.
        gradient_norm: Global L2 norm of the raw, unscaled gradients; NaN where not recorded.
        clipped_norm: The same after clipping; NaN without clipping or without an update.
        loss_scale: Factor on the loss; 1.0 without scaling.
        updated: 1 where the weights changed, 0 where they did not, -1 where nobody looked.
        sample_ids: Indices into the training data, a tuple a step; -1 for an unknown example.

    Raises:
        HarnessUsageError: A column holds values its dtype cannot hold.
        ShapeError: A column is not as long as `epoch`.
    """

    epoch: Int64
    batch: Int64
    batch_size: Int64 | None = None
    loss: Float64 | None = None
    learning_rate: Float64 | None = None
    iterations_before: Int64 | None = None
    iterations_after: Int64 | None = None
    gradient_norm: Float64 | None = None
    clipped_norm: Float64 | None = None
    loss_scale: Float64 | None = None
    updated: Int8 | None = None
    sample_ids: tuple[tuple[int, ...], ...] | None = None

    def __post_init__(self) -> None:
        """Convert, copy and freeze the columns, and check that they fit together."""
        for name, dtype in STEP_COLUMNS.items():
            values = getattr(self, name)
            if values is not None:
                column = frozen_array(name, values, dtype=dtype, rank=1)
                assign(self, **{name: column})
                require_shape(name, column, self.epoch.shape)
        if self.updated is not None and not np.isin(self.updated, (-1, 0, 1)).all():
            message = f"updated must hold -1, 0 or 1, got {np.unique(self.updated).tolist()}."
            raise HarnessUsageError(message)
        if self.sample_ids is not None:
            self._freeze_samples(self.sample_ids)

    def _freeze_samples(self, sample_ids: tuple[tuple[int, ...], ...]) -> None:
        samples = tuple(
            tuple(whole("sample_ids", index, minimum=-1) for index in step) for step in sample_ids
        )
        if len(samples) != len(self):
            message = f"sample_ids must have {len(self)} rows, got {len(samples)}."
            raise ShapeError(message)
        assign(self, sample_ids=samples)

    def __len__(self) -> int:
        """Return the number of steps."""
        return int(self.epoch.shape[0])

    @property
    def recorded(self) -> frozenset[str]:
        """Names of the columns that were recorded."""
        names = (*STEP_COLUMNS, "sample_ids")
        return frozenset(name for name in names if getattr(self, name) is not None)

    def column(self, name: str) -> NDArray[Any]:
        """Return one column, of shape (n,).

        Raises:
            HarnessUsageError: There is no such column, or it was not recorded.
        """
        if name not in STEP_COLUMNS:
            message = f"column must be one of {', '.join(STEP_COLUMNS)}, got {name!r}."
            raise HarnessUsageError(message)
        values: NDArray[Any] | None = getattr(self, name)
        if values is None:
            message = f"{name} must be recorded, got a trace without it. Record it for each step."
            raise HarnessUsageError(message)
        return values
