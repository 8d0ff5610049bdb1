"""Sizes of memory may be written as people say them."""

import pytest

from harness.spec.scenario import LimitsSpec


@pytest.mark.parametrize(
    ("text", "size"),
    [("512 KiB", 512 << 10), ("600 MiB", 600 << 20), ("1.5GiB", 3 << 29), (1000, 1000)],
)
def test_sizes_are_bytes(text: object, size: int) -> None:
    """With a binary unit, or as a number of bytes."""
    assert LimitsSpec.model_validate({"memory": text}).memory == size
