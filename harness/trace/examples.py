"""The data that was trained on, where a check needs to see it."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from harness.errors import ShapeError
from harness.trace._record import Record, assign, frozen_array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExampleTable(Record):
    """Inputs and targets, in the dtype they were trained in.

    Attributes:
        inputs: Shape (examples, *dims).
        targets: Shape (examples, *dims).
        sample_weight: Shape (examples,), or None.
        validation_inputs: The same for the held-out part, or None.
        validation_targets: The same for the held-out part, or None.
        validation_sample_weight: The same for the held-out part, or None.

    Raises:
        ShapeError: Inputs and targets are not equally many.
    """

    inputs: NDArray[Any]
    targets: NDArray[Any]
    sample_weight: NDArray[Any] | None = None
    validation_inputs: NDArray[Any] | None = None
    validation_targets: NDArray[Any] | None = None
    validation_sample_weight: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        """Copy and freeze the arrays, and check that they fit together."""
        for name in EXAMPLE_ARRAYS:
            values = getattr(self, name)
            if values is not None:
                frozen = frozen_array(name, values, dtype=values.dtype, rank=values.ndim)
                assign(self, **{name: frozen})
        rows = self.inputs.shape[0]
        for name in ("targets", "sample_weight"):
            values = getattr(self, name)
            if values is not None and values.shape[0] != rows:
                message = f"{name} must have {rows} rows as inputs has, got {values.shape[0]}."
                raise ShapeError(message)

    def __len__(self) -> int:
        """Return the number of examples."""
        return int(self.inputs.shape[0])


EXAMPLE_ARRAYS = (
    "inputs",
    "targets",
    "sample_weight",
    "validation_inputs",
    "validation_targets",
    "validation_sample_weight",
)
"""Array fields of an `ExampleTable`."""
