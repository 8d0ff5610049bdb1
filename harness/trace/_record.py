"""What all value objects of a trace share: they cannot change, and equal means bit for bit.

Everything given to a record is converted once, on construction: arrays are copied and set
read-only, mappings are copied behind a read-only view, NumPy scalars become Python numbers.
"""

import operator
from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any, SupportsFloat, SupportsIndex, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from harness.errors import HarnessUsageError, ShapeError

Float64: TypeAlias = NDArray[np.float64]
Int64: TypeAlias = NDArray[np.int64]
Int8: TypeAlias = NDArray[np.int8]
Detail: TypeAlias = str | float | int | bool


class Record:
    """Abstract base: bitwise equality, hash, and pickling through the constructor.

    Two records are equal when all their fields are: arrays and floats by their bits, so that NaN
    equals NaN and 0.0 differs from -0.0, mappings whatever their order.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        """Tell whether both hold the same bits."""
        if type(other) is not type(self):
            return NotImplemented
        return _identity(self) == _identity(other)

    def __hash__(self) -> int:
        """Hash the bits that equality compares."""
        return hash(_identity(self))

    def __reduce__(self) -> tuple[Callable[..., "Record"], tuple[type["Record"], dict[str, Any]]]:
        """Rebuild through the constructor, so that unpickled arrays are read-only as well."""
        return _rebuild, (type(self), {name: _portable(value) for name, value in items_of(self)})


def _rebuild(kind: type[Record], values: dict[str, Any]) -> Record:
    return kind(**values)


def _portable(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else value


def items_of(record: Record) -> tuple[tuple[str, Any], ...]:
    """Return name and value of each field, in the order of definition."""
    names = (entry.name for entry in fields(record))  # type: ignore[arg-type]
    return tuple((name, getattr(record, name)) for name in names)


def _identity(value: object) -> Hashable:
    match value:
        case np.ndarray():
            return (value.dtype.str, value.shape, value.tobytes())
        case Record():
            return (type(value), *(_identity(part) for _, part in items_of(value)))
        case Mapping():
            return frozenset((key, _identity(part)) for key, part in value.items())
        case tuple():
            return tuple(_identity(part) for part in value)
        case float():
            return (float, value.hex())
    return (type(value), value)


def assign(record: Record, **values: object) -> None:
    """Set converted fields of a frozen record; only for use in ``__post_init__``."""
    for name, value in values.items():
        object.__setattr__(record, name, value)


def frozen_array(name: str, values: ArrayLike, *, dtype: DTypeLike, rank: int) -> NDArray[Any]:
    """Return `values` as a read-only C-ordered array of exactly `dtype` and `rank`.

    An array that is already read-only, owns its data and has that form is taken over without a
    copy: whoever fills a large table saves its memory by ``array.flags.writeable = False``.

    Raises:
        HarnessUsageError: The conversion would lose values, such as 0.5 to an integer.
        ShapeError: The rank is another one.
    """
    if _is_frozen(values, np.dtype(dtype)):
        result = np.asarray(values)
    else:
        source = np.asarray(values)
        if source.size == 0:
            source = source.astype(dtype)
        if not np.can_cast(source.dtype, dtype, casting="same_kind"):
            rule = f"{name} must hold numbers that fit {np.dtype(dtype)}, got {source.dtype}."
            raise HarnessUsageError(rule)
        result = np.array(source, dtype=dtype, order="C")
        if result.dtype.kind == "i" and not np.array_equal(result, source):
            message = f"{name} must fit {result.dtype}, got {source.min()} to {source.max()}."
            raise HarnessUsageError(message)
        result.flags.writeable = False
    if result.ndim != rank:
        message = f"{name} must have {rank} axes, got shape {result.shape}."
        raise ShapeError(message)
    return result


def _is_frozen(values: object, dtype: np.dtype[Any]) -> bool:
    if not isinstance(values, np.ndarray) or values.dtype != dtype:
        return False
    return values.flags.c_contiguous and values.flags.owndata and not values.flags.writeable


def require_shape(name: str, values: NDArray[Any], shape: tuple[int, ...]) -> None:
    """Raise ShapeError unless `values` has `shape`."""
    if values.shape != shape:
        message = f"{name} must have shape {shape}, got {values.shape}."
        raise ShapeError(message)


def frozen_numbers(name: str, values: Mapping[str, SupportsFloat]) -> Mapping[str, float]:
    """Return a read-only copy with every value as a Python float."""
    numbers = {str(key): number(f"{name}[{key!r}]", value) for key, value in values.items()}
    return MappingProxyType(numbers)


def frozen_texts(values: Mapping[str, str]) -> Mapping[str, str]:
    """Return a read-only copy with every value as text."""
    return MappingProxyType({str(key): str(value) for key, value in values.items()})


def frozen_details(name: str, values: Mapping[str, Detail]) -> Mapping[str, Detail]:
    """Return a read-only copy of texts and numbers, NumPy scalars as Python numbers.

    Raises:
        HarnessUsageError: A value is neither text nor a number.
    """
    details: dict[str, Detail] = {}
    for key, value in values.items():
        plain = value.item() if isinstance(value, np.generic) else value
        if not isinstance(plain, str | float | int):
            rule = f"{name}[{key!r}] must be text, a number or a boolean, got {plain!r}."
            raise HarnessUsageError(rule)
        details[str(key)] = plain
    return MappingProxyType(details)


def number(name: str, value: SupportsFloat) -> float:
    """Return a Python float.

    Raises:
        HarnessUsageError: `value` is not one number.
    """
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        message = f"{name} must be a number, got {value!r}."
        raise HarnessUsageError(message) from error


def whole(name: str, value: SupportsIndex, *, minimum: int | None = None) -> int:
    """Return a Python int of at least `minimum`.

    Raises:
        HarnessUsageError: `value` is not a whole number, or too small.
    """
    try:
        result = operator.index(value)
    except TypeError as error:
        message = f"{name} must be a whole number, got {value!r}."
        raise HarnessUsageError(message) from error
    if minimum is not None and result < minimum:
        message = f"{name} must be at least {minimum}, got {result}."
        raise HarnessUsageError(message)
    return result


def optional_whole(name: str, value: SupportsIndex | None, *, minimum: int = 0) -> int | None:
    """Return None as it is, anything else like `whole`."""
    return None if value is None else whole(name, value, minimum=minimum)
