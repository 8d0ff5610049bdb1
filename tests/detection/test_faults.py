"""Each fault planted in the real Keras is noticed by a scenario of its own area."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.detection.engine import replay
from tests.detection.faults.patching import AREAS, Fault, NotHereError
from tests.detection.faults.recorded import read_caught
from tests.detection.faults.table import FAULTS

CAUGHT = read_caught()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_noticed(fault: Fault) -> None:
    """The draw that noticed the fault once notices it again, by the same expectation."""
    caught = CAUGHT[fault.name]
    if caught is None:
        pytest.xfail(f"no scenario of {fault.area} notices it yet")
    try:
        with fault.apply():
            broken = replay(caught)
    except NotHereError as error:
        pytest.skip(f"another Keras: {error}")
    assert caught.expectation in broken


def test_every_fault_is_accounted_for() -> None:
    """Each fault has one name, under which stands what noticed it, or that nothing does."""
    assert sorted(CAUGHT) == sorted(fault.name for fault in FAULTS)


def test_faults_are_noticed_in_their_own_area() -> None:
    """What is recorded is a scenario of the area that the fault belongs to."""
    areas = {fault.name: fault.area for fault in FAULTS}
    noticed = {name: caught.scenario for name, caught in CAUGHT.items() if caught is not None}
    assert {name: scenario.split("/")[0] for name, scenario in noticed.items()} == {
        name: areas[name] for name in noticed
    }


def test_there_are_faults_in_every_area() -> None:
    """No area goes without, and there are at least eighty of them."""
    assert {fault.area for fault in FAULTS} == set(AREAS)
    assert len(FAULTS) >= 80


def test_the_document_holds_what_is_recorded() -> None:
    """Written by hand it would be out of date with the next fault."""
    from tests.detection.__main__ import recorded_table

    document = Path(__file__).parents[2] / "docs" / "detection.md"
    assert recorded_table() in document.read_text(encoding="utf-8"), (
        "docs/detection.md must hold what `python -m tests.detection --recorded` prints."
    )
