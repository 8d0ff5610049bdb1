"""Changes of a history's level: found where they are, and not where they are not."""

import numpy as np
import pytest

from harness.statistics import change_scores, changes
from harness.statistics.changes import FEWEST, Change, find_changes
from harness.statistics.verdict import FigureError
from tests.statistics.histories import noisy


def test_a_flat_history_has_no_changes() -> None:
    """One of the common case."""
    found = find_changes(noisy())
    assert found.changes == ()
    assert (found.points, found.start) == (60, 0)
    assert abs(np.median(found.residuals)) < 1e-12


def test_a_step_is_found_with_range_size_and_direction() -> None:
    """Ten per cent at commit 40, reported within eight commits."""
    (change,) = find_changes(noisy(((40, 0.1),))).changes
    assert change.first <= 40 <= change.last
    assert change.last - change.first <= 3
    assert 40 < change.found <= 47
    assert change.low <= 1.1 <= change.high
    assert not change.acknowledged


def test_up_and_down_are_alike() -> None:
    """The mirrored history has the mirrored changes, at the same looks."""
    values = noisy(((25, 0.1), (42, -0.12)))
    up, down = (find_changes(history).changes for history in (values, 25.0 / values))
    assert len(up) == len(down) == 2
    for one, other in zip(up, down, strict=True):
        assert (one.first, one.last, one.found) == (other.first, other.last, other.found)
        assert one.ratio == pytest.approx(1 / other.ratio, rel=1e-9)
        assert one.low == pytest.approx(1 / other.high, rel=1e-9)


def test_units_do_not_matter() -> None:
    """Seconds or milliseconds: the same verdict."""
    values = noisy(((40, 0.1),))
    small, large = find_changes(values).changes[0], find_changes(values * 1e6).changes[0]
    assert (small.first, small.found) == (large.first, large.found)
    assert small.ratio == pytest.approx(large.ratio, rel=1e-9)


def test_each_look_saw_only_what_was_there() -> None:
    """A history cut short at any commit reports the same changes that had been reported by then."""
    values = noisy(((30, 0.12), (50, -0.12)), points=70)
    whole = find_changes(values).changes
    assert len(whole) == 2
    for count in range(FEWEST, 71, 2):
        reported = [change.found for change in find_changes(values[:count]).changes]
        assert reported == [change.found for change in whole if change.found < count]


@pytest.mark.parametrize("factor", [5.0, 0.2, 1e6])
def test_single_bad_commits_are_no_change(factor: float) -> None:
    """One, two in a row, and one at the very end."""
    values = noisy()
    values[[20, 33, 34, 59]] *= factor
    assert find_changes(values).changes == ()


def test_a_figure_without_noise_changes_at_once_when_there_are_points_enough() -> None:
    """Two per cent in a figure that never varies; half a per cent is below what matters."""
    values = np.where(np.arange(60) < 40, 3.0, 3.06)
    (change,) = find_changes(values).changes
    assert (change.first, change.last, change.found) == (40, 40, 43)
    assert change.ratio == pytest.approx(1.02)
    values = np.where(np.arange(60) < 40, 3.0, 3.015)
    assert find_changes(values).changes == ()
    assert len(find_changes(values, smallest=0.001).changes) == 1


def test_several_changes() -> None:
    """Each with its own place, also when the second undoes the first after fifteen commits."""
    values = noisy(((30, 0.15), (45, -0.13), (80, 0.3)), points=100)
    assert [
        c.first <= at <= c.last
        for c, at in zip(find_changes(values).changes, (30, 45, 80), strict=True)
    ] == [True] * 3


def test_acknowledged_changes_restart_the_level() -> None:
    """The change is listed, marked, and later ones are judged against the new level."""
    values = noisy(((30, 0.1), (60, 0.1)), points=80)
    known, new = find_changes(values, acknowledged=[30]).changes
    assert known.acknowledged
    assert known.first <= 30 <= known.last
    assert known.ratio == pytest.approx(1.1, abs=0.03)
    assert not new.acknowledged
    assert new.first <= 60 <= new.last
    assert find_changes(values, acknowledged=[30, 60, 0]).start == 60


def test_quarantined_and_missing_commits_do_not_count() -> None:
    """Six slow commits in a row are two changes; indices stay those of the history."""
    values = noisy(((40, 0.1),))
    values[20:26] *= 3.0
    ranges = [(change.first, change.last) for change in find_changes(values).changes]
    assert ranges[:2] == [(20, 20), (26, 26)]
    assert len(ranges) == 3
    (change,) = find_changes(values, quarantined=range(20, 26)).changes
    assert change.first <= 40 <= change.last
    values[20:26] = np.nan
    assert find_changes(values).changes == (change,)
    assert find_changes(values).points == 54


def test_too_few_points_say_nothing() -> None:
    """Up to thirteen commits, whatever they hold; an acknowledged commit among them is marked."""
    for count in (0, 1, 2, FEWEST - 1):
        assert find_changes(noisy(((5, 1.0),))[:count]).changes == ()
    (change,) = find_changes(noisy(((5, 1.0),))[:8], acknowledged=[5]).changes
    assert change.acknowledged
    assert change.likely == 5
    (change,) = find_changes([1.0, 2.0], acknowledged=[1]).changes
    assert (change.first, change.last) == (1, 1)
    assert change.ratio == pytest.approx(2.0)


def alarms(rho: float, *, series: int = 400) -> float:
    """Share of flat histories whose scores clear the bars at any of the first 60 commits."""
    values = np.log([noisy(seed=seed, rho=rho) for seed in range(series)])
    looks = np.arange(FEWEST, 61)
    scores = change_scores.score_looks(values, looks)
    bars = changes._bars(looks)
    ever = (scores.independent > bars[0]) | (scores.correlated > bars[1])
    return float(ever.any(axis=1).mean())


@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_flat_histories_seldom_alarm(rho: float) -> None:
    """At most one per cent, and chance: nine of 400 have probability 0.02 then."""
    assert alarms(rho) < 9 / 400


def test_a_new_level_brings_no_alarms_of_its_own() -> None:
    """In sixty commits after a large step, two of 50 histories at most."""
    extra = [
        len(find_changes(noisy(((30, 0.3),), points=90, seed=seed)).changes) > 1
        for seed in range(50)
    ]
    assert sum(extra) <= 2


def test_the_bars_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without paying for repeated looks, or for correlation, the test above would fail."""
    with monkeypatch.context() as patch:
        points, independent, correlated = changes._table()
        patch.setattr(changes, "_table", lambda: (points, independent - 5, correlated - 5))
        assert alarms(0.5) > 9 / 400
    with monkeypatch.context() as patch:
        patch.setattr(change_scores, "CORRELATIONS", (0.0, 0.0))
        patch.setattr(change_scores, "BEYOND", 0.0)
        patch.setattr(change_scores, "HANDICAP", np.inf)
        assert alarms(0.5) > 9 / 400


def test_steps_are_found_as_often_as_stated() -> None:
    """Ten per cent within eight commits after 48, coarse: at least 85 % of 40 histories."""
    hits = []
    for seed in range(40):
        found = find_changes(noisy(((48, 0.1),), points=56, seed=seed)).changes
        hits.append(any(change.first <= 48 <= change.last for change in found))
    assert np.mean(hits) >= 0.85


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ([[1.0]], {}, r"one figure a commit, got shape \(1, 1\)\."),
        ([1.0, 0.0], {}, r"values\[1\] must be positive, got 0\.0\. Changes are judged as ratios"),
        ([1.0, np.inf], {}, r"values\[1\] must be positive, got inf\."),
        ([1.0], {"acknowledged": [1]}, r"acknowledged must name commits from 0 to 0, got 1\."),
        ([1.0], {"quarantined": [-1]}, r"quarantined must name commits from 0 to 0, got -1\."),
    ],
)
def test_refuses_what_is_no_history(
    values: object, options: dict[str, list[int]], message: str
) -> None:
    """The messages name the commit."""
    with pytest.raises(FigureError, match=message):
        find_changes(values, **options)  # type: ignore[arg-type]


def test_a_change_is_frozen() -> None:
    """What was found is data."""
    (change,) = find_changes(noisy(((40, 0.1),))).changes
    assert isinstance(change, Change)
    with pytest.raises(AttributeError):
        change.ratio = 1.0  # type: ignore[misc]
