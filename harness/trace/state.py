"""Variables and gradients around each step, flattened into one row a step."""

import math
from dataclasses import dataclass
from typing import Final

from harness.errors import HarnessUsageError
from harness.trace._record import Float64, Record, assign, frozen_array, require_shape, whole

ROLES: Final = (
    "trainable",
    "non_trainable",
    "iterations",
    "learning_rate",
    "slot",
    "average",
    "accumulator",
    "loss_scale",
    "step_counter",
    "seed",
    "metric",
)
"""What a variable can be to training."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VariableInfo(Record):
    """One variable of the model, the optimizer or a metric.

    Attributes:
        path: Unique name within its table, as Keras gives it: ``dense/kernel``.
        shape: Its shape, () for a number.
        dtype: Its dtype in the framework: ``float32``.
        role: One of `ROLES`.
        slot_of: Path of the trainable variable that this slot, average or accumulator serves.
        slot: Which slot it is: ``momentum``, ``velocity``, ...

    Raises:
        HarnessUsageError: The role is unknown, or a dimension is negative.
    """

    path: str
    shape: tuple[int, ...]
    dtype: str
    role: str
    slot_of: str | None = None
    slot: str | None = None

    def __post_init__(self) -> None:
        """Convert the shape and check the role."""
        shape = tuple(whole(f"shape of {self.path}", size, minimum=0) for size in self.shape)
        assign(self, shape=shape)
        if self.role not in ROLES:
            message = f"role of {self.path} must be one of {', '.join(ROLES)}, got {self.role!r}."
            raise HarnessUsageError(message)

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StateTable(Record):
    """All variables around each of n steps, V values in all, in the order of `variables`.

    Float64 holds every float32, every integer up to 2**53 and every seed exactly.

    Attributes:
        variables: What the columns are.
        initial: Shape (V,), when training began.
        before: Shape (n, V), when the step began.
        after: Shape (n, V), when the step ended.
        final: Shape (V,), when training had ended and callbacks had restored what they restore.

    Raises:
        HarnessUsageError: A path appears twice.
        ShapeError: An array does not have V columns, or not as many rows as another.
    """

    variables: tuple[VariableInfo, ...]
    initial: Float64
    before: Float64
    after: Float64
    final: Float64

    def __post_init__(self) -> None:
        """Copy and freeze the arrays, and check them against the variables."""
        assign(self, variables=_unique(self.variables))
        for name, rank in (("initial", 1), ("before", 2), ("after", 2), ("final", 1)):
            values = frozen_array(name, getattr(self, name), dtype=float, rank=rank)
            assign(self, **{name: values})
        width = sum(variable.size for variable in self.variables)
        steps = self.before.shape[0]
        require_shape("initial", self.initial, (width,))
        require_shape("before", self.before, (steps, width))
        require_shape("after", self.after, (steps, width))
        require_shape("final", self.final, (width,))

    def __len__(self) -> int:
        """Return the number of steps."""
        return int(self.before.shape[0])

    @property
    def width(self) -> int:
        """Number of values a row, V."""
        return int(self.before.shape[1])

    def column(self, path: str) -> slice:
        """Return the columns that the values of one variable take."""
        return _columns(self.variables, path)[1]

    def variable(self, path: str) -> VariableInfo:
        """Return what is known of one variable."""
        return _columns(self.variables, path)[0]

    def paths(self, role: str) -> tuple[str, ...]:
        """Return the paths of all variables of one role, in order."""
        return tuple(variable.path for variable in self.variables if variable.role == role)

    def initial_of(self, path: str) -> Float64:
        """Return one variable when training began, of shape (*dims)."""
        return _cut(self.initial, self.variables, path)

    def before_of(self, path: str) -> Float64:
        """Return one variable before each step, of shape (n, *dims)."""
        return _cut(self.before, self.variables, path)

    def after_of(self, path: str) -> Float64:
        """Return one variable after each step, of shape (n, *dims)."""
        return _cut(self.after, self.variables, path)

    def final_of(self, path: str) -> Float64:
        """Return one variable when training had ended, of shape (*dims)."""
        return _cut(self.final, self.variables, path)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GradientTable(Record):
    """Gradients of the trainable variables at each of n steps, P values in all.

    Attributes:
        variables: What the columns are, in the order the optimizer got them.
        raw: Shape (n, P), as the optimizer received them, divided by the loss scale.
        clipped: Shape (n, P), what reached the update; rows of NaN where nothing was updated.
            None when it was not recorded.

    Raises:
        HarnessUsageError: A path appears twice.
        ShapeError: An array does not have P columns, or not as many rows as the other.
    """

    variables: tuple[VariableInfo, ...]
    raw: Float64
    clipped: Float64 | None = None

    def __post_init__(self) -> None:
        """Copy and freeze the arrays, and check them against the variables."""
        assign(
            self,
            variables=_unique(self.variables),
            raw=frozen_array("raw", self.raw, dtype=float, rank=2),
        )
        width = sum(variable.size for variable in self.variables)
        require_shape("raw", self.raw, (len(self), width))
        if self.clipped is not None:
            clipped = frozen_array("clipped", self.clipped, dtype=float, rank=2)
            require_shape("clipped", clipped, self.raw.shape)
            assign(self, clipped=clipped)

    def __len__(self) -> int:
        """Return the number of steps."""
        return int(self.raw.shape[0])

    @property
    def width(self) -> int:
        """Number of values a row, P."""
        return int(self.raw.shape[1])

    def column(self, path: str) -> slice:
        """Return the columns that the gradient of one variable takes."""
        return _columns(self.variables, path)[1]

    def raw_of(self, path: str) -> Float64:
        """Return the raw gradient of one variable at each step, of shape (n, *dims)."""
        return _cut(self.raw, self.variables, path)

    def clipped_of(self, path: str) -> Float64:
        """Return the clipped gradient of one variable at each step, of shape (n, *dims).

        Raises:
            HarnessUsageError: Clipped gradients were not recorded, or the path is unknown.
        """
        if self.clipped is None:
            message = (
                "clipped gradients must be recorded, got a trace without them. "
                "Record them, or use the raw gradients."
            )
            raise HarnessUsageError(message)
        return _cut(self.clipped, self.variables, path)


def _unique(variables: tuple[VariableInfo, ...]) -> tuple[VariableInfo, ...]:
    seen: set[str] = set()
    for variable in variables:
        if variable.path in seen:
            message = (
                f"variable paths must be unique, got {variable.path!r} twice. "
                f"Number the second one, as in '{variable.path}#2'."
            )
            raise HarnessUsageError(message)
        seen.add(variable.path)
    return tuple(variables)


def _columns(variables: tuple[VariableInfo, ...], path: str) -> tuple[VariableInfo, slice]:
    start = 0
    for variable in variables:
        if variable.path == path:
            return variable, slice(start, start + variable.size)
        start += variable.size
    known = ", ".join(variable.path for variable in variables) or "none"
    message = f"path must be that of a recorded variable, got {path!r}. Recorded are: {known}."
    raise HarnessUsageError(message)


def _cut(values: Float64, variables: tuple[VariableInfo, ...], path: str) -> Float64:
    variable, columns = _columns(variables, path)
    return values[..., columns].reshape((*values.shape[:-1], *variable.shape))
