"""The table of bars: whole, and about what the command that made it would make again."""

import json

import numpy as np
import pytest

from harness.statistics.changes import FEWEST
from tests.performance.verdicts import calibration
from tests.performance.verdicts.calibration import ALPHA, FIRST, TABLE, top_scores
from tests.performance.verdicts.noise import AR_HALF, CALIBRATED

STORED = json.loads(TABLE.read_text(encoding="utf-8"))


def test_the_table_says_how_it_was_made() -> None:
    """Command, noises and level; the first row serves the first look."""
    assert STORED["command"].startswith("python -m tests.performance.verdicts calibrate --series ")
    assert STORED["noises"] == [noise.name for noise in CALIBRATED]
    assert STORED["false_alarms_per_60_commits"] == ALPHA
    points = [row["points"] for row in STORED["bars"]]
    assert points[0] == FEWEST
    assert points == sorted(set(points))


def test_a_coarse_calibration_agrees() -> None:
    """The worst noise's bar of the last stretch of 60 commits, from 600 series, within 0.8.

    With 600 series a quantile of 0.33 % has a standard error of about 0.35 in these units.
    """
    rng = np.random.default_rng(7)
    tops = top_scores(AR_HALF, rng, 600, np.arange(50, 61)).max(axis=-1)
    bar = calibration._quantile(tops[0], ALPHA * FIRST[1][-1])
    assert STORED["bars"][5]["points"] == 50
    assert bar == pytest.approx(STORED["bars"][5]["independent"], abs=0.8)


def test_calibration_makes_the_whole_table() -> None:
    """A tiny one: as many rows as are stored, each with both bars."""
    rows = calibration.calibrate(series=4, seed=1)
    assert [row["points"] for row in rows] == [row["points"] for row in STORED["bars"]]
    assert all(
        row.keys() == stored.keys() for row, stored in zip(rows, STORED["bars"], strict=True)
    )
