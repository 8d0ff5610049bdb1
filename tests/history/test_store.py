"""What goes into a history comes out of it, in both databases."""

import math
from datetime import timedelta

import pytest

from harness.history.measurement import Revision, Samples
from harness.history.opening import open_history
from tests.history.rows import NEWER, START, commit, row, rows


def test_a_measurement_comes_back_as_it_was(where: str) -> None:
    """Every field, to the microsecond and the last bit."""
    measured = row(
        0.1 + 0.2,
        samples=Samples.of([0.1, 0.3, 0.2]),
        definition="abc",
        time=START + timedelta(microseconds=123457),
        revision=Revision(id=commit(3), committed=START, branch="a/b", dirty=True),
    )

    with open_history(where) as history:
        assert history.add(measured)
    with open_history(where) as history:
        assert list(history.measurements()) == [measured]


@pytest.mark.parametrize("value", [math.inf, -math.inf, 0.0, -1e300, 5e-324])
def test_any_number_comes_back(where: str, value: float) -> None:
    """Those that are not finite and those at the ends of the range too."""
    with open_history(where) as history:
        history.add(row(value))

        assert [back.value for back in history.measurements()] == [value]


def test_nan_comes_back(where: str) -> None:
    """SQLite has no NaN; a loss may well be one."""
    with open_history(where) as history:
        history.add(row(math.nan))

        (back,) = history.measurements()
        assert math.isnan(back.value)
        assert back.key == row(math.nan).key
        assert not history.add(back)


def test_the_same_measurement_is_kept_once(where: str) -> None:
    """However it is added; another time or value is another measurement."""
    with open_history(where) as history:
        assert history.add(row())
        assert not history.add(row())
        assert history.add_all([row(), row(2.0), row(2.0), row(number=1)]) == 2

        assert len(list(history.measurements())) == 3


def test_series_are_listed_by_name_the_newest_last(where: str) -> None:
    """With their number of rows and the time of the newest."""
    with open_history(where) as history:
        history.add_all(
            [
                row(scenario="b/two"),
                *rows([1.0, 2.0]),
                row(3.0, number=9, environment=NEWER),
                row(metric="final_loss", unit=""),
            ]
        )
        found = history.series()

        assert [(one.key.scenario, one.key.metric, one.count) for one in found] == [
            ("area/one", "final_loss", 1),
            ("area/one", "step_seconds", 2),
            ("area/one", "step_seconds", 1),
            ("b/two", "step_seconds", 1),
        ]
        assert found[2].key.fingerprint == NEWER.fingerprint
        assert found[2].latest == START + timedelta(hours=9, minutes=5)
        assert history.series(scenario="b/two") == found[3:]
        assert history.series(metric="final_loss") == found[:1]


def test_points_come_in_the_order_of_commits(where: str) -> None:
    """An old commit that is measured today belongs to its neighbours of then."""
    late = row(7.0, number=1, time=START + timedelta(days=9))
    with open_history(where) as history:
        history.add_all([row(1.0, 0), row(3.0, 2), late])
        (summary,) = history.series()
        (points,) = history.points([summary.key.id]).values()

    assert points.values == (1.0, 7.0, 3.0)
    assert points.revisions == (commit(0), commit(1), commit(2))
    assert len(points) == 3


def test_an_unknown_series_has_no_points(where: str) -> None:
    """It is no error."""
    with open_history(where) as history:
        assert len(history.points(["none"])["none"]) == 0


def test_measurements_can_be_chosen_by_commit(where: str) -> None:
    """By the first digits of its hash; signs of SQL mean nothing."""
    with open_history(where) as history:
        history.add_all(rows([1.0, 2.0, 3.0]))

        chosen = history.measurements(revision=commit(1)[:10])
        assert [one.value for one in chosen] == [2.0]
        assert list(history.measurements(revision="%")) == []


def test_many_rows_are_written_whole(where: str) -> None:
    """More than fit into one statement."""
    with open_history(where) as history:
        assert history.add_all(rows(range(1, 702))) == 701
        assert history.add_all(rows(range(1, 702))) == 0
        assert len(history.points([history.series()[0].key.id])) == 1
