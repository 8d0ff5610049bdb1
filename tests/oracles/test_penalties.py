"""Penalties: values by hand, slopes by finite differences."""

from typing import Any

import numpy as np
import pytest

from harness.oracles.penalties import Penalty, penalty_gradient, penalty_of

KERNEL = np.array([[3.0, 0.0], [4.0, -1.0]])
"""Rows of cosine 4 / sqrt(17), columns of cosine -0.8."""


@pytest.mark.parametrize(
    ("penalty", "expected"),
    [
        ({"l1": 0.5}, 4.0),
        ({"l2": 0.5}, 13.0),
        ({"l1": 0.5, "l2": 0.25}, 10.5),
        ({"orthogonal": 0.5}, 2.0 / np.sqrt(17.0)),
        ({"orthogonal": 0.5, "mode": "columns"}, 0.4),
    ],
)
def test_value(penalty: dict[str, Any], expected: float) -> None:
    """Each part is what its formula says, and parts are added up."""
    assert penalty_of(Penalty(**penalty), KERNEL) == pytest.approx(expected, rel=1e-15)


def test_mean_over_pairs() -> None:
    """Three parallel rows cost as much as two."""
    assert penalty_of(Penalty(orthogonal=0.5), np.ones((3, 2))) == pytest.approx(0.5, rel=1e-15)


@pytest.mark.parametrize(
    "penalty",
    [Penalty(0.5, 0.25, 0.75), Penalty(0.5, 0.25, 0.75, "columns"), Penalty(l1=0.5, l2=0.25)],
)
def test_slope(penalty: Penalty) -> None:
    """The derivative meets central differences."""
    kernel = np.random.default_rng(4).normal(size=(4, 3))
    found = penalty_gradient(penalty, kernel)
    for index in np.ndindex(kernel.shape):
        values = []
        for sign in (1, -1):
            moved = kernel.copy()
            moved[index] += sign * 1e-6
            values.append(penalty_of(penalty, moved))
        assert found[index] == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-5, abs=1e-8)


def test_no_pairs() -> None:
    """One vector alone costs nothing, and is pushed nowhere."""
    alone = Penalty(orthogonal=0.5, mode="columns")
    assert penalty_of(alone, KERNEL[:, :1]) == 0.0
    assert not penalty_gradient(alone, KERNEL[:, :1]).any()


def test_rounded() -> None:
    """Factors become those of float32; the mode stays."""
    found = Penalty(0.1, 0.2, 0.3, "columns").rounded()
    factors = [float(np.float32(factor)) for factor in (0.1, 0.2, 0.3)]
    assert [found.l1, found.l2, found.orthogonal] == factors
    assert found.mode == "columns"
