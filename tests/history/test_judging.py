"""Verdicts: regressions and improvements alike, known and mended ones, and no verdict at all."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from harness.errors import HarnessUsageError
from harness.history.decisions import (
    Acknowledgement,
    Decisions,
    Quarantine,
    acknowledge,
    decisions,
    quarantine,
    release,
    withdraw,
)
from harness.history.judging import Judgement, Movement, judge_history, judge_series
from harness.history.opening import open_history
from harness.history.sentences import sentences
from tests.history.rows import START, commit, noisy, row, rows

MARGIN = 0.02


def judged(values: list[float], known: Decisions | None = None, **others: Any) -> Judgement:
    """The verdict on some figures, one a commit."""
    known = known or Decisions()
    with open_history("sqlite://") as history:
        history.add_all(rows(values, **others))
        acknowledge(history, known.acknowledgements)
        for entry in known.quarantines:
            quarantine(history, entry)
        (judgement,) = judge_history(history, margin=MARGIN)
    return judgement


def known_at(number: int) -> Decisions:
    """Somebody says that a commit changed the level."""
    entry = Acknowledgement(
        scenario="area/one",
        metric="step_seconds",
        revision=commit(number),
        position=row(0.0, number).position,
        reason="Meant.",
        author="me",
        time=START,
    )
    return Decisions(acknowledgements=(entry,))


STEP = [0.5] * 20 + [0.6] * 2
BACK = [0.6] * 20 + [0.5] * 2


@pytest.mark.parametrize(
    ("values", "better", "movement"),
    [
        (STEP, "lower", Movement.REGRESSION),
        (BACK, "lower", Movement.IMPROVEMENT),
        (STEP, "higher", Movement.IMPROVEMENT),
        (BACK, "higher", Movement.REGRESSION),
        (STEP, "neutral", Movement.CHANGED),
        (BACK, "neutral", Movement.CHANGED),
        ([-0.5] * 20 + [-0.6] * 2, "lower", Movement.IMPROVEMENT),
        ([0.0] * 20 + [0.6] * 2, "lower", Movement.REGRESSION),
    ],
)
def test_direction_decides(values: list[float], better: str, movement: Movement) -> None:
    """What is worse depends on the metric, and on nothing else."""
    judgement = judged(values, better=better)

    assert judgement.movement is movement
    assert judgement.change is not None
    assert (judgement.change.first.revision, judgement.change.bad.revision) == (commit(20),) * 2
    assert judgement.change.good is not None
    assert judgement.change.good.revision == commit(19)
    assert judgement.exit_status == (1 if movement is Movement.REGRESSION else 0)


@pytest.mark.parametrize("factor", [1.12, 1 / 1.12])
def test_scatter_is_judged_by_statistics(factor: float) -> None:
    """With a range of commits and an interval that hold the truth."""
    values = noisy(40) + noisy(12, level=0.01 * factor, seed=1)

    change = judged(values).change

    assert change is not None
    assert change.movement is (Movement.REGRESSION if factor > 1 else Movement.IMPROVEMENT)
    assert change.shift.earliest <= 40 <= change.shift.latest
    assert change.shift.low < factor - 1 < change.shift.high
    assert change.shift.before == pytest.approx(0.01, rel=0.02)


def test_figures_around_zero_are_judged_on_their_own_scale() -> None:
    """They have no logarithm; the levels are right all the same."""
    values = [value - 1.0 for value in noisy(40, level=1.0)]
    values += [value - 0.8 for value in noisy(12, level=1.0, seed=1)]

    judgement = judged(values)

    assert judgement.movement is Movement.REGRESSION
    assert judgement.change is not None
    assert judgement.change.shift.before == pytest.approx(0.0, abs=0.02)
    assert judgement.change.shift.after == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([0.5] * 60, id="always the same"),
        pytest.param([0.0] * 60, id="always zero"),
        pytest.param(noisy(60), id="scatter"),
        pytest.param([value - 1 for value in noisy(60, level=1.0)], id="scatter around zero"),
        pytest.param([0.5] * 20 + [0.7] + [0.5] * 5, id="one accident"),
        pytest.param([0.5] * 20 + [0.505] * 20, id="smaller than the margin"),
        pytest.param([0.5] * 20 + [0.6] * 5 + [0.5] * 5, id="mended, and then"),
    ],
)
def test_no_regression(values: list[float]) -> None:
    """Nothing, nothing yet, or nothing any more: what is mended is no gain either."""
    assert judged(values).movement is Movement.NO_CHANGE


def test_scatter_that_wanders_is_not_judged() -> None:
    """The stated rate of false alarms does not hold for it."""
    steps = np.random.default_rng(0).standard_normal(60)
    values = [float(value) for value in np.exp(0.002 * np.cumsum(steps))]

    judgement = judged(values)

    assert judgement.reason.startswith("its scatter is correlated from commit to commit by 0.")
    assert judgement.movement is Movement.COULD_NOT_JUDGE


def test_small_steps_add_up() -> None:
    """Three of 1.5 % each are a regression against the level before the first."""
    judgement = judged([0.5] * 12 + [0.5075] * 12 + [0.515] * 12 + [0.5229] * 12)

    assert judgement.movement is Movement.REGRESSION
    assert len(judgement.changes) == 3


def test_a_worse_level_after_a_better_one_is_a_regression() -> None:
    """Though it is still better than long ago."""
    judgement = judged([1.0] * 12 + [0.8] * 12 + [0.95] * 12)

    assert judgement.movement is Movement.REGRESSION
    assert judgement.change is not None
    assert judgement.change.shift.size == pytest.approx(0.1875)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_figure_that_is_no_number_any_more(value: float) -> None:
    """At once: nothing scatters that far."""
    judgement = judged([*noisy(5), value])

    assert judgement.movement is Movement.REGRESSION
    assert sentences(judgement)[0] == f"regression: area/one step_seconds to {value}"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([math.nan] * 30, "it has no finite value"),
        (
            noisy(13),
            (
                "13 commits so far, and it takes 14 to tell a change from scatter "
                "(10 where nothing scatters)"
            ),
        ),
        (
            [0.5],
            (
                "1 commit so far, and it takes 14 to tell a change from scatter "
                "(10 where nothing scatters)"
            ),
        ),
        (
            [0.5] * 20 + [0.6],
            (
                "the newest value, 0.6, is the first other one after 0.5 came again and again: "
                "measure once more"
            ),
        ),
    ],
)
def test_what_cannot_be_judged(values: list[float], reason: str) -> None:
    """With the reason, and status 2."""
    judgement = judged(values)

    assert (judgement.movement, judgement.reason) == (Movement.COULD_NOT_JUDGE, reason)
    assert (judgement.exit_status, judgement.fails) == (2, False)


def test_a_second_measurement_of_a_commit_decides() -> None:
    """No other commit is needed."""
    again = row(0.6, 20, time=START + timedelta(days=3))
    with open_history("sqlite://") as history:
        history.add_all([*rows([0.5] * 20 + [0.6]), again])
        (judgement,) = judge_series(history, [again.series], margin=MARGIN)

    assert judgement.movement is Movement.REGRESSION


@pytest.mark.parametrize("values", [STEP, noisy(40) + noisy(20, level=0.012, seed=1)])
def test_a_known_change_is_over(values: list[float]) -> None:
    """And a further one counts against the level after it."""
    place = 20 if values is STEP else 40
    judgement = judged(values, known_at(place))
    assert judgement.movement in {Movement.NO_CHANGE, Movement.COULD_NOT_JUDGE}
    assert judgement.start is not None

    level = values[-1] * 1.3
    later = judged(
        [*values, *([values[-1]] * 12), level, level, *noisy(12, level=level)], known_at(place)
    )
    assert later.movement is Movement.REGRESSION


def test_quarantine_keeps_the_verdict_and_fails_nothing() -> None:
    """For as long as it lasts."""
    entry = Quarantine(
        scenario="area/one",
        metric="",
        reason="A sick machine.",
        author="me",
        time=START,
        until=datetime.now(UTC) + timedelta(days=1),
    )
    judgement = judged(STEP, Decisions(quarantines=(entry,)))
    assert (judgement.movement, judgement.fails) == (Movement.REGRESSION, False)
    assert judgement.exit_status == 0

    ended = Quarantine(
        scenario="area/one", metric="", reason="x", author="me", time=START, until=START
    )
    assert judged(STEP, Decisions(quarantines=(ended,))).fails


def test_a_commit_in_quarantine_does_not_count() -> None:
    """Its figures are as if they were not there."""
    entry = Quarantine(
        scenario="area/one",
        metric="step_seconds",
        revision=commit(20),
        reason="A sick machine.",
        author="me",
        time=START,
    )
    with_it = judged([0.5] * 20 + [0.6])
    without = judged([0.5] * 20 + [0.6], Decisions(quarantines=(entry,)))

    assert with_it.movement is Movement.COULD_NOT_JUDGE
    assert without.movement is Movement.NO_CHANGE


def test_decisions_are_kept_replaced_and_taken_back(where: str) -> None:
    """In either database; a reason is needed."""
    entry = known_at(3).acknowledgements[0]
    kept_out = Quarantine(
        scenario="area/one", metric="", reason="why", author="me", time=START, until=START
    )
    with open_history(where) as history:
        for _ in range(2):
            acknowledge(history, [entry])
            quarantine(history, kept_out)
        assert decisions(history) == Decisions(acknowledgements=(entry,), quarantines=(kept_out,))

        withdraw(history, [entry])
        release(history, [kept_out])
        assert decisions(history) == Decisions()
        acknowledge(history, [])
        with pytest.raises(HarnessUsageError, match="reason must say why area/one is decided so"):
            quarantine(
                history,
                Quarantine(scenario="area/one", metric="", reason=" ", author="", time=START),
            )
