"""Two arrays of numbers to the first place where they part, or to nothing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias, TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.errors import HarnessUsageError
from harness.trace._record import Record

Phase: TypeAlias = Literal["", "initial", "before", "after", "final"]

Number: TypeAlias = np.bool | np.integer[Any] | np.floating[Any]


class Labels(TypedDict, total=False):
    """Fields of a `Mismatch` that its finder takes from the caller."""

    quantity: str
    step: int | None
    epoch: int | None
    where: str
    phase: Phase


_PLACES: Final = {"initial": "before training", "final": "after training"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mismatch(Record):
    """The first place at which two recordings of one quantity differ.

    Attributes:
        got: The value that was found; a text where it is not a number, such as ``absent``.
        expected: The value that should have been found, likewise.
        quantity: What was compared: ``weights``, ``losses``, ...
        step: Row of the step table; None for what does not belong to a step.
        epoch: Epoch of that step, or epoch of the record; None where there is none.
        where: Path of the variable, or name of the column or of the log.
        index: Position within that, () for a number.
        allowed: Largest absolute difference that would have passed here.
        count: How many values differ: within the same variable and step, or, where a step has
            one value only, over all steps.
        total: Out of how many.
        phase: For a variable, when it was read: ``initial`` and ``final`` for before and after
            training, ``before`` and ``after`` the step; empty for everything else.
    """

    got: float | str
    expected: float | str
    quantity: str = "values"
    step: int | None = None
    epoch: int | None = None
    where: str = ""
    index: tuple[int, ...] = ()
    allowed: float = 0.0
    count: int = 1
    total: int = 1
    phase: Phase = ""

    def sentence(self) -> str:
        """Return place, value, expectation and extent in one line, for people.

        It reads ``step 7 (epoch 1): dense/kernel[0, 2] is 0.25, expected 0.5, allowed ±0 (3 of 12
        values differ)``. The tolerance is left out between texts, the extent for one value.
        """
        index = f"[{', '.join(map(str, self.index))}]" if self.index else ""
        texts = isinstance(self.got, str) or isinstance(self.expected, str)
        allowed = "" if texts else f", allowed ±{_shown(self.allowed)}"
        extent = f" ({self.count} of {self.total} values differ)" if self.total > 1 else ""
        subject = f"{self.where or self.quantity}{index}"
        claim = f"{subject} is {_shown(self.got)}, expected {_shown(self.expected)}"
        return f"{self._place()}{claim}{allowed}{extent}"

    def _place(self) -> str:
        if self.phase in _PLACES:
            return f"{_PLACES[self.phase]}: "
        if self.step is not None:
            epoch = "" if self.epoch is None else f" (epoch {self.epoch})"
            before = "before " if self.phase == "before" else ""
            return f"{before}step {self.step}{epoch}: "
        if self.epoch is not None:
            return f"epoch {self.epoch}: "
        return f"{self.quantity}: " if self.where not in {"", self.quantity} else ""


def _shown(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return repr(value).removesuffix(".0")


def first_mismatch(
    got: ArrayLike,
    expected: ArrayLike,
    *,
    atol: float = 0.0,
    rtol: float = 0.0,
    **labels: Unpack[Labels],
) -> Mismatch | None:
    """Return the first place, in C order, at which two arrays differ; None when they agree.

    Values agree when ``|got - expected| <= atol + rtol * |expected|``, when both are NaN, or when
    both are the same infinity. Without tolerances they must be equal; 0.0 equals -0.0. Arrays of
    different shapes never agree, and are not broadcast.

    Args:
        got: Shape (*dims).
        expected: Shape (*dims).
        atol: Allowed absolute difference, >= 0, in units of the values.
        rtol: Allowed difference as a share of the expected magnitude, >= 0.
        **labels: `quantity`, `where`, `step`, `epoch` and `phase` of the result.

    Raises:
        HarnessUsageError: A tolerance is negative or NaN, or the values are not real numbers.
    """
    require_tolerances(atol, rtol)
    found, wanted = _numbers("got", got), _numbers("expected", expected)
    if found.shape != wanted.shape:
        return Mismatch(got=_shape_text(found), expected=_shape_text(wanted), **labels)
    wrong = _differing(found, wanted, atol=atol, rtol=rtol)
    if not wrong.any():
        return None
    index = np.unravel_index(int(wrong.argmax()), wrong.shape)
    target = float(wanted[index])
    return Mismatch(
        got=float(found[index]),
        expected=target,
        index=tuple(int(position) for position in index),
        allowed=atol + rtol * abs(target) if math.isfinite(target) else 0.0,
        count=int(wrong.sum()),
        total=wrong.size,
        **labels,
    )


def first_step_mismatch(
    got: ArrayLike,
    expected: ArrayLike,
    *,
    epochs: Sequence[int] | NDArray[np.int64] = (),
    atol: float = 0.0,
    rtol: float = 0.0,
    **labels: Unpack[Labels],
) -> Mismatch | None:
    """Return the first wrong value of the first wrong step; None when all steps agree.

    Args:
        got: Shape (n, *dims), a row a step.
        expected: Shape (n, *dims).
        epochs: Epoch of each of the n steps, for the result.
        atol: As for `first_mismatch`.
        rtol: As for `first_mismatch`.
        **labels: `quantity`, `where` and `phase` of the result.

    Returns:
        A mismatch whose `index` lies within (*dims), and whose `count` is that of its step; where
        a step has one value only, `count` is over all steps. Different numbers of rows are a
        mismatch at the first row that only one side has, once all rows before it agree.

    Raises:
        HarnessUsageError: A tolerance is negative or NaN, or the values are not real numbers.
    """
    found, wanted = _numbers("got", got), _numbers("expected", expected)
    if found.ndim == 0 or found.shape[1:] != wanted.shape[1:]:
        return first_mismatch(found, wanted, atol=atol, rtol=rtol, **labels)
    require_tolerances(atol, rtol)
    common = min(len(found), len(wanted))
    wrong = _differing(found[:common], wanted[:common], atol=atol, rtol=rtol)
    rows = wrong.any(axis=tuple(range(1, wrong.ndim)))
    row = int(rows.argmax()) if rows.any() else common
    labels["step"] = row
    labels["epoch"] = int(epochs[row]) if row < len(epochs) else None
    if row == common:
        if len(found) == len(wanted):
            return None
        sides = ("present", "absent") if len(found) > common else ("absent", "present")
        return Mismatch(got=sides[0], expected=sides[1], **labels)
    result = first_mismatch(found[row], wanted[row], atol=atol, rtol=rtol, **labels)
    if result is not None and found.ndim == 1:
        return replace(result, count=int(rows.sum()), total=common)
    return result


def require_tolerances(atol: float, rtol: float) -> None:
    """Raise HarnessUsageError unless both tolerances are at least 0."""
    for name, value in (("atol", atol), ("rtol", rtol)):
        if not value >= 0.0:
            message = f"{name} must be at least 0, got {value!r}."
            raise HarnessUsageError(message)


def _numbers(name: str, values: ArrayLike) -> NDArray[Number]:
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        message = f"{name} must hold real numbers, got {array.dtype}."
        raise HarnessUsageError(message)
    return array


def _differing(
    found: NDArray[Number], wanted: NDArray[Number], *, atol: float, rtol: float
) -> NDArray[np.bool]:
    """Tell for each value whether it is wrong; integers are compared as such, up to 64 bits."""
    equal = found == wanted
    near, target = found.astype(np.float64), wanted.astype(np.float64)
    equal |= np.isnan(near) & np.isnan(target)
    if atol > 0.0 or rtol > 0.0:
        finite = np.isfinite(near) & np.isfinite(target)
        with np.errstate(invalid="ignore", over="ignore"):
            equal |= finite & (np.abs(near - target) <= atol + rtol * np.abs(target))
    return ~np.asarray(equal)


def _shape_text(values: NDArray[Number]) -> str:
    return f"shape {values.shape}".replace(",)", ")")
