from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.oracles.arrays import ArgumentError
from harness.oracles.constraints import excess

WEIGHT = np.array([[3.0, 0.0, 0.6], [4.0, -0.5, 0.8]])
"""Columns of norm 5, 0.5 and 1."""


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [("non_neg", 0.5), ("unit_norm", 4.0), ("max_norm", 3.0), ("min_max_norm", 4.0)],
)
def test_the_worst_column_counts(constraint: Any, expected: float) -> None:
    """The excess is that of the column, or element, that is furthest out."""
    assert excess(constraint, WEIGHT) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("constraint", ["non_neg", "unit_norm", "max_norm", "min_max_norm"])
def test_kept(constraint: Any) -> None:
    """A weight that keeps its constraint exceeds it by nothing; zeros have no direction."""
    assert excess(constraint, np.array([[1.0, 0.0], [0.0, 0.0]])) == 0.0


def test_below_a_norm() -> None:
    """Too short a column is as wrong as one that is too long."""
    assert excess("unit_norm", np.array([[0.25]])) == 0.75


def test_not_a_number() -> None:
    """NaN keeps no constraint."""
    assert np.isnan(excess("non_neg", np.array([np.nan, 1.0])))
    assert np.isnan(excess("max_norm", np.array([np.nan, 1.0])))


def test_unknown() -> None:
    """A name that is no constraint is refused."""
    unknown: Any = "orthogonal"
    with pytest.raises(ArgumentError, match="constraint must be one of non_neg"):
        excess(unknown, WEIGHT)
