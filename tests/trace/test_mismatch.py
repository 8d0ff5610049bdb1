"""Two arrays to the first place where they part."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from harness.errors import HarnessUsageError
from harness.trace import Mismatch, first_mismatch, first_step_mismatch

ARRAYS = hnp.arrays(np.float64, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))


def found(mismatch: Mismatch | None) -> Mismatch:
    """Return the mismatch, which must be there."""
    assert mismatch is not None
    return mismatch


@given(ARRAYS)
def test_every_array_agrees_with_itself(values: np.ndarray) -> None:
    """NaN, infinities and empty arrays included."""
    assert first_mismatch(values, values.copy()) is None


@given(ARRAYS, st.data())
def test_one_changed_value_is_found(values: np.ndarray, data: st.DataObject) -> None:
    """Wherever a value is changed, the mismatch points at it and counts it once."""
    if values.size == 0:
        return
    index = data.draw(st.sampled_from(list(np.ndindex(values.shape))))
    changed = values.copy()
    changed[index] = 1.0 if values[index] != 1.0 else 2.0
    mismatch = found(first_mismatch(changed, values))
    assert mismatch.index == index
    assert (mismatch.count, mismatch.total) == (1, values.size)


@pytest.mark.parametrize(
    ("got", "expected", "atol", "rtol", "agree"),
    [
        (0.0, -0.0, 0.0, 0.0, True),
        (1.0, np.nextafter(1.0, 2.0), 0.0, 0.0, False),
        (1.25, 1.0, 0.25, 0.0, True),
        (1.25, 1.0, 0.0, 0.25, True),
        (1.26, 1.0, 0.25, 0.0, False),
        (math.nan, math.nan, 0.0, 0.0, True),
        (math.nan, 1.0, math.inf, 0.0, False),
        (math.inf, math.inf, 0.0, 0.0, True),
        (math.inf, -math.inf, 1.0, 1.0, False),
        (5.0, math.inf, 0.0, 0.5, False),
        (2**53 + 1, 2**53, 0.0, 0.0, False),
        (True, 1, 0.0, 0.0, True),
        (np.uint8(1), np.uint8(2), 1.0, 0.0, True),
    ],
)
def test_agreement(got: float, expected: float, atol: float, rtol: float, agree: bool) -> None:  # noqa: FBT001
    """Equal, within tolerance, both NaN, or the same infinity."""
    assert (first_mismatch(got, expected, atol=atol, rtol=rtol) is None) is agree


@pytest.mark.parametrize("tolerance", [{"atol": -1.0}, {"rtol": math.nan}])
def test_tolerance_must_not_be_negative(tolerance: dict[str, float]) -> None:
    """A tolerance that nothing passes is a mistake."""
    with pytest.raises(HarnessUsageError, match="must be at least 0, got"):
        first_mismatch(1.0, 1.0, atol=tolerance.get("atol", 0.0), rtol=tolerance.get("rtol", 0.0))
    with pytest.raises(HarnessUsageError, match="must be at least 0, got"):
        first_step_mismatch(
            [1.0], [1.0], atol=tolerance.get("atol", 0.0), rtol=tolerance.get("rtol", 0.0)
        )


def test_values_must_be_real_numbers() -> None:
    """Texts and objects are refused, on either side."""
    with pytest.raises(HarnessUsageError, match="got must hold real numbers, got <U1"):
        first_mismatch(["a"], [1.0])
    with pytest.raises(HarnessUsageError, match="expected must hold real numbers, got complex128"):
        first_mismatch([1.0], [1j])


def test_other_shape_is_a_mismatch() -> None:
    """Nothing is broadcast."""
    mismatch = found(first_mismatch(np.zeros((2, 1)), np.zeros(2), where="w"))
    assert mismatch.sentence() == "values: w is shape (2, 1), expected shape (2)"


def test_allowed_is_the_bound_at_that_place() -> None:
    """The relative part is taken of the expected value."""
    mismatch = found(first_mismatch([10.0, 9.0], [10.0, 8.0], atol=0.25, rtol=0.0625))
    assert (mismatch.index, mismatch.got, mismatch.expected) == ((1,), 9.0, 8.0)
    assert mismatch.allowed == 0.75


def test_nothing_is_allowed_around_infinity() -> None:
    """A share of infinity is no tolerance."""
    assert found(first_mismatch(5.0, math.inf, rtol=0.5)).allowed == 0.0


def test_first_wrong_step_comes_before_worse_ones() -> None:
    """The first wrong row is reported with the extent of that row only."""
    expected = np.zeros((5, 2, 2))
    got = expected.copy()
    got[2, 0, 1] = got[2, 1, 0] = 1e-9
    got[3:] = 100.0
    mismatch = found(
        first_step_mismatch(
            got, expected, epochs=[0, 0, 1, 1, 2], quantity="weights", where="w", phase="after"
        )
    )
    assert mismatch.sentence() == (
        "step 2 (epoch 1): w[0, 1] is 1e-09, expected 0, allowed ±0 (2 of 4 values differ)"
    )


def test_single_values_are_counted_over_all_steps() -> None:
    """A column has one value a step, so the extent is that of the column."""
    mismatch = found(first_step_mismatch([1, 2, 4, 5], [1, 2, 3, 4], where="batch"))
    assert mismatch.sentence() == (
        "step 2: batch is 4, expected 3, allowed ±0 (2 of 4 values differ)"
    )


def test_equal_steps_agree() -> None:
    """Equal rows are no mismatch."""
    assert first_step_mismatch(np.ones((3, 2)), np.ones((3, 2))) is None
    assert first_step_mismatch(np.ones((0, 2)), np.ones((0, 2))) is None


@pytest.mark.parametrize(
    ("got", "expected", "sentence"),
    [
        ([1.0], [1.0, 2.0], "step 1 (epoch 0): loss is absent, expected present"),
        ([1.0, 2.0], [1.0], "step 1 (epoch 0): loss is present, expected absent"),
        ([], [2.0], "step 0 (epoch 0): loss is absent, expected present"),
        ([3.0], [1.0, 2.0], "step 0 (epoch 0): loss is 3, expected 1, allowed ±0"),
    ],
)
def test_missing_rows(got: list[float], expected: list[float], sentence: str) -> None:
    """A row that only one side has is wrong, once all rows before it agree."""
    mismatch = first_step_mismatch(got, expected, epochs=(0, 0), where="loss")
    assert found(mismatch).sentence() == sentence


@pytest.mark.parametrize(("got", "expected"), [(1.0, 2.0), (1.0, [1.0]), ([[1.0]], [1.0])])
def test_rows_of_other_shapes(got: object, expected: object) -> None:
    """Numbers have no rows, and rows of different shapes are compared as wholes."""
    mismatch = found(first_step_mismatch(got, expected))  # type: ignore[arg-type]
    assert mismatch.step is None


@pytest.mark.parametrize(
    ("mismatch", "sentence"),
    [
        (
            Mismatch(
                quantity="weights",
                step=7,
                epoch=1,
                where="dense/kernel",
                index=(0, 2),
                got=0.25,
                expected=0.5,
                allowed=0.0,
                count=3,
                total=12,
            ),
            (
                "step 7 (epoch 1): dense/kernel[0, 2] is 0.25, expected 0.5, allowed ±0 "
                "(3 of 12 values differ)"
            ),
        ),
        (
            Mismatch(got=1.0, expected=2.0, where="w", phase="initial"),
            "before training: w is 1, expected 2, allowed ±0",
        ),
        (
            Mismatch(got=1.0, expected=2.0, where="w", phase="final", allowed=1e-7),
            "after training: w is 1, expected 2, allowed ±1e-07",
        ),
        (
            Mismatch(got=1.0, expected=2.0, where="w", phase="before", step=3, epoch=0),
            "before step 3 (epoch 0): w is 1, expected 2, allowed ±0",
        ),
        (
            Mismatch(got="absent", expected=2.0, quantity="logs", where="loss", epoch=3),
            "epoch 3: loss is absent, expected 2",
        ),
        (
            Mismatch(got="killed", expected="completed", quantity="stop", where="reason"),
            "stop: reason is killed, expected completed",
        ),
        (
            Mismatch(got=math.nan, expected=2.0, quantity="predictions", index=(1,), total=2),
            "predictions[1] is nan, expected 2, allowed ±0 (1 of 2 values differ)",
        ),
    ],
)
def test_sentence(mismatch: Mismatch, sentence: str) -> None:
    """Place, value, expectation and extent are shown where they mean something."""
    assert mismatch.sentence() == sentence
