"""Clipping: bounds, direction, no-ops and what becomes of non-finite gradients."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from harness.oracles.arrays import ArgumentError
from harness.oracles.clipping import (
    clip,
    clip_by_global_norm,
    clip_by_norm,
    clip_by_value,
    global_norm,
    norm_of,
)

gradients = npst.arrays(np.float64, (3, 2), elements=st.floats(-1e200, 1e200))
limits = st.floats(1e-6, 1e6)


def test_norms_by_hand() -> None:
    """|(3, 4)| = 5; over (3, 4), None and 12 it is 13; an empty array has norm 0."""
    assert norm_of(np.array([3.0, 4.0])) == 5.0
    assert global_norm([np.array([3.0, 4.0]), None, np.array(12.0)]) == 13.0
    assert norm_of(np.zeros(0)) == 0.0
    assert global_norm([None]) == 0.0


def test_norms_neither_overflow_nor_underflow() -> None:
    """Squares of 3e200 or 3e-200 do not fit a float64, the norms do."""
    assert norm_of(np.array([3e200, 4e200])) == pytest.approx(5e200, rel=1e-15)
    assert norm_of(np.array([3e-200, 4e-200])) == pytest.approx(5e-200, rel=1e-15)


def test_clip_by_value_cuts_elements() -> None:
    """Elements beyond the limit become the limit, infinities too; NaN stays."""
    clipped = clip_by_value(np.array([-2.0, 0.25, np.inf, np.nan]), 0.5)
    np.testing.assert_array_equal(clipped, [-0.5, 0.25, 0.5, np.nan])


@given(gradients, limits)
def test_clip_by_norm_bounds_and_keeps_direction(gradient: np.ndarray, limit: float) -> None:
    """The norm is at most the limit, and the result is a multiple of the gradient."""
    clipped = clip_by_norm(gradient, limit)
    norm = norm_of(gradient)
    assert norm_of(clipped) <= limit * (1 + 1e-12)
    if norm <= limit:
        np.testing.assert_array_equal(clipped, gradient)
    else:
        np.testing.assert_allclose(clipped / limit, gradient / norm, rtol=1e-9, atol=1e-300)


def test_clip_by_norm_of_non_finite_gradients() -> None:
    """NaN spreads over the variable; an infinity becomes NaN and zeroes the rest."""
    nan = clip_by_norm(np.array([np.nan, 1.0]), 1.0)
    np.testing.assert_array_equal(nan, [np.nan, np.nan])
    infinite = clip_by_norm(np.array([np.inf, 1.0]), 1.0)
    np.testing.assert_array_equal(infinite, [np.nan, 0.0])


def test_clip_by_global_norm_uses_one_factor() -> None:
    """(3, 4) and 12 under a limit of 6.5 are halved; None stays None."""
    clipped = clip_by_global_norm([np.array([3.0, 4.0]), None, np.array(12.0)], 6.5)
    assert clipped[1] is None
    np.testing.assert_array_equal(clipped[0], [1.5, 2.0])
    np.testing.assert_array_equal(clipped[2], 6.0)


def test_clip_by_global_norm_below_the_limit_is_a_copy() -> None:
    """Nothing changes, not even the last bit, and the input is not shared."""
    gradient = np.array([0.1, 0.2])
    clipped = clip_by_global_norm([gradient, None], 1.0)
    np.testing.assert_array_equal(clipped[0], gradient)
    assert clipped[0] is not gradient
    assert clipped[1] is None


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_clip_by_global_norm_marks_a_non_finite_norm(bad: float) -> None:
    """One infinity or NaN makes every element of every variable NaN."""
    clipped = clip_by_global_norm([np.array([bad, 1.0]), np.ones(2)], 1.0)
    for gradient in clipped:
        np.testing.assert_array_equal(gradient, [np.nan, np.nan])


def test_clip_dispatches() -> None:
    """Each rule acts alone; without a rule the gradients come back as they are."""
    pair = [np.array([3.0, 4.0]), None]
    assert clip(pair) == tuple(pair)
    np.testing.assert_array_equal(clip(pair, clipvalue=3.5)[0], [3.0, 3.5])
    for scaled in (clip(pair, clipnorm=1.0)[0], clip(pair, global_clipnorm=1.0)[0]):
        assert scaled is not None
        np.testing.assert_allclose(scaled, [0.6, 0.8], rtol=1e-15)
    assert clip(pair, clipvalue=3.5)[1] is clip(pair, clipnorm=1.0)[1] is None


def test_clip_refuses_two_rules() -> None:
    """Keras rejects two rules at once, and so does the oracle."""
    with pytest.raises(ArgumentError) as caught:
        clip([np.ones(1)], clipvalue=1.0, clipnorm=2.0)
    assert str(caught.value) == (
        "clipvalue, clipnorm and global_clipnorm must not be set together, "
        "got 1.0, 2.0 and None. Keep one of them."
    )


@pytest.mark.parametrize("rule", ["clipvalue", "clipnorm", "global_clipnorm"])
def test_limits_must_be_positive(rule: str) -> None:
    """A limit of 0 is refused by name."""
    with pytest.raises(ArgumentError) as caught:
        clip([np.ones(1)], **{rule: 0.0})
    assert str(caught.value) == f"{rule} must be greater than 0, got 0.0."
