"""No check without a fault that it has been shown to find."""

from pathlib import Path

import pytest

from harness.invariants import registered

TESTS = "\n".join(
    path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*_faults.py")
)


@pytest.mark.parametrize(
    "name",
    [
        *registered(),
        "matches_oracle",
        "unchanged_by",
        "changed_by",
        "lowered_by",
        "bound",
        "shows",
        "stops",
        "preflight",
    ],
)
def test_named_in_a_test(name: str) -> None:
    """Each check is seeded with a fault in one of the files beside this one."""
    assert f'"{name}"' in TESTS or f"`{name}`" in TESTS
