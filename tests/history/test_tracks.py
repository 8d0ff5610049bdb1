"""Which rows are put together, and what is said of the others."""

from datetime import timedelta
from pathlib import Path

import pytest

from harness.history.measurement import EnvironmentKey, Measurement, Revision
from harness.history.opening import open_history
from harness.history.tracks import ANYTHING, DEFINITION, LeftOut, Sight, Track, tracks
from tests.history.rows import HERE, NEWER, START, commit, row, rows


def tracked(measurements: list[Measurement], sight: Sight | None = None) -> Track:
    """The one track of some measurements."""
    with open_history("sqlite://") as history:
        history.add_all(measurements)
        (track,) = tracks(history, sight=sight)
    return track


def values(track: Track) -> list[float]:
    """The values of its commits."""
    return [one.value for one in track.commits]


def test_another_environment_is_left_out_and_named() -> None:
    """The newest one stays; what differs is said with both values."""
    track = tracked([*rows([1.0, 2.0, 3.0]), row(9.0, 5, environment=NEWER)])

    assert values(track) == [9.0]
    assert track.environment == NEWER
    assert track.left_out == (LeftOut(rows=3, differences=(("keras", "3.14.0", "3.15.1"),)),)


@pytest.mark.parametrize("across", ["keras", ANYTHING])
def test_environments_are_put_together_on_request(across: str) -> None:
    """By the name of what may differ, or whatever differs; it is remembered what did."""
    measured = [*rows([1.0, 2.0]), row(9.0, 5, environment=NEWER)]

    track = tracked(measured, Sight(across=frozenset({across})))

    assert values(track) == [1.0, 2.0, 9.0]
    assert (track.left_out, track.across) == ((), ("keras",))


def test_a_request_for_one_name_allows_no_other() -> None:
    """Another processor is not another Keras."""
    other = EnvironmentKey(values={**NEWER.values, "cpu": "another", "gpu": "one"})

    track = tracked(
        [*rows([1.0]), row(9.0, 5, environment=other)], Sight(across=frozenset({"keras"}))
    )

    assert track.left_out == (
        LeftOut(
            rows=1,
            differences=(
                ("cpu", "a processor", "another"),
                ("gpu", "", "one"),
                ("keras", "3.14.0", "3.15.1"),
            ),
        ),
    )


def test_an_edited_scenario_is_another_series() -> None:
    """Unless one asks for it."""
    measured = [row(1.0, definition="old"), row(2.0, 1, definition="new")]

    assert tracked(measured).left_out == (
        LeftOut(rows=1, differences=((DEFINITION, "old", "new"),)),
    )
    assert values(tracked(measured, Sight(across=frozenset({DEFINITION})))) == [1.0, 2.0]


def test_other_units_are_never_put_together() -> None:
    """Not even on request for anything."""
    measured = [row(1.0), row(2.0, 1, unit="ms"), row(3.0, 2, unit="ms", better="higher")]

    track = tracked(measured, Sight(across=frozenset({ANYTHING})))

    assert values(track) == [3.0]
    assert sum(entry.rows for entry in track.left_out) == 2


def test_rows_of_one_commit_are_one_point() -> None:
    """Their median; whether they agree is remembered."""
    again = [
        row(value, 1, time=START + timedelta(hours=2, minutes=minute))
        for minute, value in enumerate([5.0, 2.0, 3.0])
    ]

    track = tracked([row(1.0), *again])

    assert [(one.value, one.rows, one.agree) for one in track.commits] == [
        (1.0, 1, True),
        (3.0, 3, False),
    ]
    assert track.rows == 4


def test_without_commits_each_row_is_a_point() -> None:
    """In the order of time."""
    measured = [
        row(float(number), time=START + timedelta(hours=9 - number), revision=Revision())
        for number in range(3)
    ]

    assert values(tracked(measured)) == [2.0, 1.0, 0.0]


def test_other_branches_are_left_out() -> None:
    """The newest row's and the base's stay, or those asked for."""

    def on(branch: str, value: float, number: int) -> Measurement:
        revision = Revision(id=commit(number), committed=START, branch=branch)
        return row(value, number, revision=revision)

    measured = [on("main", 1.0, 0), on("other", 2.0, 1), on("mine", 3.0, 2)]

    track = tracked(measured)
    assert values(track) == [1.0, 3.0]
    assert track.left_out == (LeftOut(rows=1, reason="of other branches"),)
    assert values(tracked(measured, Sight(branches=frozenset({"other"})))) == [2.0]


def test_uncommitted_changes_count_only_while_they_are_the_newest() -> None:
    """What somebody tried is no part of the past."""

    def tried(value: float, number: int) -> Measurement:
        revision = Revision(id=commit(number), committed=START, branch="main", dirty=True)
        return row(value, number, revision=revision)

    track = tracked([row(1.0), tried(2.0, 1), tried(3.0, 2)])

    assert values(track) == [1.0, 3.0]
    assert track.left_out == (LeftOut(rows=1, reason="with uncommitted changes"),)


def test_a_series_can_be_asked_for_by_its_key(tmp_path: Path) -> None:
    """Even where it is not the newest one."""
    with open_history(str(tmp_path / "h.sqlite")) as history:
        history.add_all([row(1.0), row(9.0, 5, environment=NEWER), row(2.0, scenario="b/two")])

        (track,) = tracks(history, only=[row().series])

    assert (values(track), track.environment) == ([1.0], HERE)
