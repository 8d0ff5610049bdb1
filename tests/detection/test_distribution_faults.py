"""Replicas that part, and replicas that nobody looked at."""

from dataclasses import replace

import pytest

from harness.invariants import NothingToJudge
from harness.trace import Event
from tests.invariants.faults import judged
from tests.invariants.traces import fit_trace, pipeline

SPEC = pipeline()
COMPARED = Event(kind="replicas", name="compared", detail={"steps": 6})


def apart(path: str, step: int, distance: float) -> Event:
    """Return what the recorder says of a variable whose copies differ."""
    return Event(kind="replicas", name=path, detail={"step": step, "distance": distance})


class TestCopies:
    """`replica_copies_agree`."""

    def test_one_device(self) -> None:
        """Without replicas there is nothing to compare."""
        with pytest.raises(NothingToJudge, match="replica copies must be recorded after a step"):
            judged("replica_copies_agree", SPEC, fit_trace(SPEC))

    def test_no_step(self) -> None:
        """Replicas that ran no step can't have parted."""
        trace = replace(fit_trace(SPEC), events=(replace(COMPARED, detail={"steps": 0}),))
        with pytest.raises(NothingToJudge, match="got none"):
            judged("replica_copies_agree", SPEC, trace)

    def test_alike(self) -> None:
        """Copies that never differ pass."""
        trace = replace(fit_trace(SPEC), events=(COMPARED,))
        assert judged("replica_copies_agree", SPEC, trace) is None

    def test_first_difference(self) -> None:
        """The variable that parts first is named, with the step and the distance."""
        events = (COMPARED, apart("dense_0/bias", 4, 0.5), apart("dense_0/kernel", 2, 0.25))
        found = judged("replica_copies_agree", SPEC, replace(fit_trace(SPEC), events=events))
        assert found is not None
        assert found.message == (
            "dense_0/kernel differs between the replicas by 0.25 after step 2 "
            "(2 variables do at some time)"
        )
        assert (found.step, found.where) == (2, "dense_0/kernel")
        assert (found.got, found.expected) == ("0.25", "no difference")
