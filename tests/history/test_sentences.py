"""Verdicts in words."""

import math

import pytest

from harness.history.data import judgement_data
from harness.history.judging import Judgement, judge_history
from harness.history.measurement import Revision
from harness.history.opening import open_history
from harness.history.sentences import counted, magnitude, percent, sentences
from tests.history.rows import START, noisy, row, rows


def judged(values: list[float], **others: object) -> Judgement:
    """The verdict on some figures, one a commit."""
    with open_history("sqlite://") as history:
        history.add_all(rows(values, **others))
        (judgement,) = judge_history(history, margin=0.02)
    return judgement


def test_a_change_in_scatter() -> None:
    """Size with interval, and a range of commits for git."""
    head, levels, place = sentences(judged(noisy(40) + noisy(12, level=0.011, seed=3)))

    assert head.startswith("regression: area/one step_seconds +")
    assert levels.startswith("From 9.9")
    assert " ms, a change between +" in levels
    assert place.startswith("It came")


def test_several_changes() -> None:
    """The largest makes the headline; the newest level and the others follow."""
    values = [0.5] * 12 + [0.6] * 3 + [0.58] * 3 + [0.59] * 3

    assert sentences(judged(values)) == (
        "regression: area/one step_seconds +20.0 %",
        "From 500 ms to 600 ms, where nothing scattered before.",
        "It came with 0000000012: look at 0000000011..0000000012.",
        "The newest level is 590 ms.",
    )
    both = [0.5] * 12 + [0.55] * 3 + [0.6] * 3
    assert sentences(judged(both))[-1] == (
        "Also regression +9.1 %, it came with 0000000015: look at 0000000014..0000000015."
    )


def test_without_commits() -> None:
    """The number of the measurement is all there is."""
    values = [0.0] * 12 + [1.0] * 2
    with open_history("sqlite://") as history:
        history.add_all(
            row(value, time=START.replace(minute=number), revision=Revision())
            for number, value in enumerate(values)
        )
        (judgement,) = judge_history(history, margin=0.02)

    assert sentences(judgement) == (
        "regression: area/one step_seconds to 1",
        "From 0 s to 1 s.",
        "It began with measurement 13; no commits are known.",
    )
    assert judgement_data(judgement)["change"]["size"] == "inf"


def test_verdicts_are_counted() -> None:
    """In words that agree with the number."""
    worse, same = judged([0.5] * 12 + [0.6] * 2), judged([0.5] * 12)

    assert counted([worse, same, same]) == "1 regression, 2 no change"
    assert counted([worse, worse]) == "2 regressions"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0112, "s", "11.2 ms"),
        (1.5e-7, "s", "0.15 µs"),
        (2.5e9, "bytes", "2.5 GB"),
        (3.2e12, "FLOP/s", "3200 GFLOP/s"),
        (0.0, "s", "0 s"),
        (0.531, "", "0.531"),
        (640.0, "examples/s", "640 examples/s"),
        (math.nan, "s", "nan s"),
    ],
)
def test_magnitudes(value: float, unit: str, text: str) -> None:
    """With a prefix where people use one."""
    assert magnitude(value, unit) == text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0.1234, "+12.3 %"),
        (-0.05, "-5.0 %"),
        (0.00001234, "+0.0012 %"),
        (math.inf, "out of all proportion"),
    ],
)
def test_percentages(fraction: float, text: str) -> None:
    """A small change shows its digits."""
    assert percent(fraction) == text
