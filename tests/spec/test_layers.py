"""Which of the layers between are noise."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from harness.spec.layers import AnyLayer, adds_noise, drops_all

ADAPTER: TypeAdapter[Any] = TypeAdapter(AnyLayer)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("dropout", True),
        ({"kind": "dropout", "rate": 0.0}, False),
        ({"kind": "dropout", "rate": 0.0, "seed": 3, "noise_shape": [0, 1]}, False),
        ({"kind": "gaussian_noise", "stddev": 0.5}, True),
        ({"kind": "gaussian_noise", "stddev": 0.0}, False),
        ({"kind": "dropout", "rate": 1.0}, False),
        ("batch_normalization", False),
    ],
)
def test_noise(table: Any, expected: bool) -> None:  # noqa: FBT001 - a table of answers
    """A rate of 0 makes no noise, and normalisations never do."""
    assert adds_noise(ADAPTER.validate_python(table)) is expected


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({"kind": "dropout", "rate": 1.0}, True),
        ({"kind": "spatial_dropout_1d", "rate": 1.0}, True),
        ("dropout", False),
        ({"kind": "gaussian_noise", "stddev": 1.0}, False),
    ],
)
def test_nothing_is_left(table: Any, expected: bool) -> None:  # noqa: FBT001 - a table of answers
    """Where all is dropped."""
    assert drops_all(ADAPTER.validate_python(table)) is expected
