"""Array helpers: read-only copies, the float32 rounding and the checks with their messages."""

import numpy as np
import pytest

from harness.errors import HarnessError, ShapeError
from harness.oracles.arrays import (
    ArgumentError,
    as_float32,
    frozen,
    require_fraction,
    require_known,
    require_positive,
    require_same_length,
    require_same_shape,
)


def test_frozen_copies_and_forbids_writing() -> None:
    """A frozen array does not follow its source and refuses assignment."""
    source = np.array([1.0, 2.0])
    copy = frozen(source)
    source[0] = 9.0
    assert copy.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="read-only"):
        copy[0] = 3.0


def test_as_float32_keeps_24_bits() -> None:
    """0.9 becomes the nearest float32, 0.875 is one already."""
    assert as_float32(0.9) == 15099494 / 2**24
    assert as_float32(0.875) == 0.875


def test_require_same_shape_names_the_array() -> None:
    """The message names the array, the wanted and the given shape."""
    require_same_shape(np.zeros((2, 3)), momentum=np.zeros((2, 3)))
    with pytest.raises(ShapeError) as caught:
        require_same_shape(np.zeros((2, 3)), momentum=np.zeros(6))
    assert str(caught.value) == (
        "momentum must have shape (2, 3), got (6,). "
        "Pass one array per variable, in the order of the variables."
    )


def test_require_same_length_names_the_sequence() -> None:
    """The message names the sequence, the wanted and the given length."""
    require_same_length(2, gradients=(1, 2))
    with pytest.raises(ShapeError) as caught:
        require_same_length(2, gradients=(1, 2, 3))
    assert str(caught.value) == "gradients must hold 2 entries, got 3. Pass one per variable."


@pytest.mark.parametrize("number", [0, -1.0, float("nan")])
def test_require_positive_refuses(number: float) -> None:
    """Zero, negative numbers and NaN are refused by name."""
    require_positive(scale=1e-300)
    with pytest.raises(ArgumentError) as caught:
        require_positive(scale=number)
    assert str(caught.value) == f"scale must be greater than 0, got {number!r}."


@pytest.mark.parametrize("number", [-0.1, 1.1, float("nan")])
def test_require_fraction_refuses(number: float) -> None:
    """Numbers outside [0, 1] and NaN are refused by name; the ends are allowed."""
    require_fraction(low=0.0, high=1.0)
    with pytest.raises(ArgumentError) as caught:
        require_fraction(ema_momentum=number)
    assert str(caught.value) == f"ema_momentum must lie in [0, 1], got {number!r}."


def test_require_known_lists_the_names() -> None:
    """An unknown name is answered with all known ones."""
    require_known("mode", "min", ("min", "max"))
    with pytest.raises(ArgumentError) as caught:
        require_known("mode", "mni", ("min", "max"))
    assert str(caught.value) == "mode must be one of min, max, got 'mni'."


def test_argument_error_is_a_harness_error_and_a_value_error() -> None:
    """Callers can catch it under either base class."""
    assert issubclass(ArgumentError, HarnessError)
    assert issubclass(ArgumentError, ValueError)
