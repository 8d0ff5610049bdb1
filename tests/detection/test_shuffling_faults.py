"""Epochs that are shuffled alike are found."""

import pytest

from harness.invariants import NothingToJudge
from tests.invariants.faults import judged
from tests.invariants.traces import fit_trace, pipeline

FIRST = [[3, 1, 4, 0], [5, 9, 2, 6], [8, 7]]
SECOND = [[2, 7, 1, 8], [0, 9, 4, 5], [3, 6]]


def fault(*order: list[list[int]], **changes: object) -> str | None:
    """Return the message for a run that reads its examples in these orders."""
    spec = pipeline(training__epochs=len(order), **changes)
    trace = fit_trace(spec, order=[batch for epoch in order for batch in epoch])
    found = judged("epochs_are_shuffled_anew", spec, trace)
    return None if found is None else found.message


def test_another_order_in_each_epoch() -> None:
    """Epochs of different order are what shuffling is for."""
    assert fault(FIRST, SECOND) is None
    assert fault(FIRST, SECOND, data__source="dataset", data__shuffle=True) is None


def test_one_order_for_all_epochs() -> None:
    """An order that comes back is found, whatever was in between."""
    assert fault(FIRST, FIRST) == "epoch 1 reads its 10 examples in the order of epoch 0"
    assert fault(FIRST, SECOND, FIRST) == "epoch 2 reads its 10 examples in the order of epoch 0"


def test_nothing_shuffled() -> None:
    """Data that nobody shuffles has one order."""
    with pytest.raises(NothingToJudge, match="data must be shuffled to be judged, got 'dataset'"):
        fault(FIRST, FIRST, data__source="dataset")
    with pytest.raises(NothingToJudge, match="data must be shuffled"):
        fault(FIRST, FIRST, data__shuffle=False)


def test_too_little_to_compare() -> None:
    """One epoch, or few examples, may come in any order."""
    with pytest.raises(NothingToJudge, match="two epochs of 9 examples must be there"):
        fault(FIRST)
    few = [[0, 1, 2, 3], [4, 5, 6, 7]]
    with pytest.raises(NothingToJudge, match="two epochs of 9 examples"):
        fault(few, few, data__examples=8)
