from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.oracles.arrays import ArgumentError
from harness.oracles.constraints import excess, make_projection, projected

WEIGHT = np.array([[3.0, 0.0, 0.6], [4.0, -0.5, 0.8]])
"""Columns of norm 5, 0.5 and 1."""

NAMES: tuple[Any, ...] = ("non_neg", "unit_norm", "max_norm", "min_max_norm")


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [("non_neg", 0.5), ("unit_norm", 4.0), ("max_norm", 3.0), ("min_max_norm", 4.0)],
)
def test_the_worst_column_counts(constraint: Any, expected: float) -> None:
    """The excess is that of the column, or element, that is furthest out."""
    assert excess(make_projection(constraint), WEIGHT) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("constraint", NAMES)
def test_kept(constraint: Any) -> None:
    """A weight that keeps its constraint exceeds it by nothing; zeros have no direction."""
    assert excess(make_projection(constraint), np.array([[1.0, 0.0], [0.0, 0.0]])) == 0.0


def test_below_a_norm() -> None:
    """Too short a column is as wrong as one that is too long."""
    assert excess(make_projection("unit_norm"), np.array([[0.25]])) == 0.75


def test_over_other_axes() -> None:
    """Limits and axes are those that were given."""
    rows = make_projection("max_norm", max_value=1.0, axis=[1])
    assert excess(rows, np.array([[0.0, 1.0], [3.0, 4.0]])) == 4.0
    whole = make_projection("min_max_norm", min_value=6.0, max_value=7.0, axis=[0, 1])
    assert excess(whole, np.array([[3.0, 0.0], [0.0, 4.0]])) == 1.0


def test_not_a_number() -> None:
    """NaN keeps no constraint."""
    for constraint in NAMES[:3:2]:
        assert np.isnan(excess(make_projection(constraint), np.array([np.nan, 1.0])))


def test_unknown() -> None:
    """A name that is no constraint is refused."""
    unknown: Any = "orthogonal"
    with pytest.raises(ArgumentError, match="constraint must be one of non_neg"):
        make_projection(unknown)


@pytest.mark.parametrize(
    ("constraint", "arguments", "expected"),
    [
        ("non_neg", {}, [[3.0, 0.0, 0.6], [4.0, 0.0, 0.8]]),
        ("unit_norm", {}, [[0.6, 0.0, 0.6], [0.8, -1.0, 0.8]]),
        ("max_norm", {}, [[1.2, 0.0, 0.6], [1.6, -0.5, 0.8]]),
        ("max_norm", {"max_value": 0.5}, [[0.3, 0.0, 0.3], [0.4, -0.5, 0.4]]),
        (
            "min_max_norm",
            {"min_value": 1.5, "max_value": 3.0, "rate": 0.5},
            [[2.4, 0.0, 0.75], [3.2, -1.0, 1.0]],
        ),
    ],
)
def test_projected(constraint: Any, arguments: dict[str, Any], expected: list[Any]) -> None:
    """What breaks a constraint is put to its border, or part of the way; what keeps it stays."""
    found = projected(make_projection(constraint, **arguments), WEIGHT)
    assert found == pytest.approx(np.array(expected), rel=1e-6)


@pytest.mark.parametrize("constraint", NAMES)
def test_projected_keeps_it(constraint: Any) -> None:
    """Where a projection puts a weight its constraint is kept, but for Keras' 1e-7."""
    projection = make_projection(constraint, axis=[1])
    assert excess(projection, projected(projection, WEIGHT)) <= 1e-6
