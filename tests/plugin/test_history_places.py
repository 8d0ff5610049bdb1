"""Where sessions keep a history, and what they do when it breaks."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import harness.history.judging
import harness.plugin.history
import harness.plugin.history_summary  # noqa: F401 - before pytester takes its snapshot
from harness.errors import HistoryError
from harness.history.lines import read_lines
from harness.history.measurement import Revision
from harness.history.opening import open_history
from tests.history.rows import HERE
from tests.plugin.conftest import NAME

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Measured: TypeAlias = Callable[[float], None]

    from tests.plugin.conftest import Session

FAIL = "--harness-fail-on-regression"

pytestmark = pytest.mark.usefixtures("one_environment")


def test_a_broken_history_does_not_stop_the_tests(
    session: Session, measured: Measured, pytester: pytest.Pytester
) -> None:
    """The error is told, the tests run, and the figures wait in a file that can be imported."""
    (pytester.path / "h.sqlite").write_text("no database, but long enough to be one" * 20)
    measured(0.5)

    result = session("--harness-history=h.sqlite", "--harness-fail-on-regression")

    assert result.ret == pytest.ExitCode.OK
    result.assert_outcomes(passed=1)
    kept = pytester.path / ".harness" / "unwritten.jsonl"
    result.stdout.fnmatch_lines(
        [
            "harness history: history *h.sqlite must be usable, got: file is not a database.*",
            "*training history*",
            "history *h.sqlite must be usable, got: file is not a database.*",
            f"1 figure of this session is kept in {kept}. Later: harness history import {kept}",
        ]
    )
    assert [one.value for one in read_lines(kept).measurements] == [0.5]


def test_figures_that_fit_nowhere_are_lost_aloud(
    session: Session, measured: Measured, pytester: pytest.Pytester
) -> None:
    """The tests pass all the same."""
    (pytester.path / "h.sqlite").mkdir()
    (pytester.path / ".harness").write_text("in the way")
    measured(0.5)

    result = session("--harness-history=h.sqlite")

    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["1 figure of this session is lost: *must be a file that can*"])


def test_lines_are_a_history_for_a_shard(session: Session, measured: Measured) -> None:
    """A file that travels, to be imported where the history is."""
    measured(0.5)

    session("--harness-history=shard.jsonl").assert_outcomes(passed=1)

    (kept,) = read_lines(Path("shard.jsonl")).measurements
    assert (kept.value, kept.series.scenario, kept.environment) == (0.5, NAME, HERE)
    assert (datetime.now(UTC) - kept.time).total_seconds() < 600
    assert kept.revision == Revision()


def test_ini_file_and_environment_can_name_the_history(
    session: Session,
    measured: Measured,
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The environment goes before the ini file, an empty name switches it off."""
    pytester.makeini(
        "[pytest]\nharness_history = from_ini.sqlite\nharness_fail_on_regression = 5%\n"
    )
    measured(0.5)
    session().assert_outcomes(passed=1)
    assert (pytester.path / "from_ini.sqlite").exists()

    monkeypatch.setenv("HARNESS_HISTORY", "from_environment.sqlite")
    session().assert_outcomes(passed=1)
    assert (pytester.path / "from_environment.sqlite").exists()

    session("--harness-history=h.sqlite").assert_outcomes(passed=1)
    with open_history("from_environment.sqlite") as history:
        assert [one.count for one in history.series()] == [1]

    pytester.makeini("[pytest]\n")
    assert "harness history" not in session("--harness-history=").stdout.str()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--harness-fail-on-regression"], "*must come with a history to judge by, got none.*"),
        (
            ["--harness-history=h", "--harness-fail-on-regression", "test_measured.py"],
            "*must be a fraction below 1 or a percentage, * got 'test_measured.py'.*",
        ),
        (["--harness-history=h", "--harness-fail-on-regression=5"], "*fraction below 1*got '5'.*"),
    ],
)
def test_options_that_mean_nothing_are_refused(
    session: Session, arguments: list[str], said: str
) -> None:
    """Before anything is collected."""
    result = session(*arguments)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([said])


def test_collecting_writes_nothing(
    session: Session, measured: Measured, pytester: pytest.Pytester
) -> None:
    """--collect-only makes no history."""
    measured(0.5)

    session("--collect-only", "--harness-history=h.sqlite")

    assert not (pytester.path / "h.sqlite").exists()


def test_one_process_writes_for_all(pytester: pytest.Pytester) -> None:
    """Under xdist the controller has every figure once, and judges."""
    pytest.importorskip("xdist")
    pytester.makepyfile(
        """
        import pytest
        from harness.plugin.figures import FIGURES, Figure

        @pytest.mark.parametrize("number", range(6))
        def test_it(request, number):
            request.node.stash[FIGURES] = (
                Figure(metric="seconds", value=float(number), unit="s", samples=(1.0, 2.0)),
            )
        """
    )

    result = pytester.runpytest_subprocess(
        "-n2", "-p", "no:benchmark", "--harness-history=h.sqlite", "--harness-fail-on-regression"
    )

    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(["6 figures remembered: 6 could not judge"])
    with open_history(str(pytester.path / "h.sqlite"), create=False) as history:
        assert sorted(one.value for one in history.measurements()) == [0, 1, 2, 3, 4, 5]
        assert all(one.samples and one.samples.count == 2 for one in history.measurements())


def test_a_history_that_breaks_meanwhile_does_not_stop_the_tests(
    session: Session, measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fills up: what could not be written waits in a file, and nothing is judged."""

    def full(*_: object) -> bool:
        message = "history h.sqlite must be usable, got: database or disk is full."
        raise HistoryError(message)

    monkeypatch.setattr("harness.history.store.History.add", full)
    measured(0.5)

    result = session("--harness-history=h.sqlite", "--harness-fail-on-regression")

    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["history h.sqlite must be usable, got: database or disk is full."])
    assert [one.value for one in read_lines(Path(".harness/unwritten.jsonl")).measurements] == [0.5]


def test_a_history_that_cannot_be_judged_is_told(
    session: Session, measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written stays, and the session passes."""

    def broken(*_: object, **__: object) -> None:
        message = "history h.sqlite must be usable, got: database disk image is malformed."
        raise HistoryError(message)

    monkeypatch.setattr("harness.history.judging.judge_series", broken)
    measured(0.5)

    result = session("--harness-history=h.sqlite", "--harness-fail-on-regression")

    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["history h.sqlite must be usable, got: database disk image is*"])


def test_a_long_list_is_cut_short(session: Session, pytester: pytest.Pytester) -> None:
    """A new history has the same to say of everything; -v says it all."""
    pytester.makepyfile(
        test_many="""
        from harness.plugin.figures import FIGURES, Figure

        def test_one(request):
            names = [f"metric_{number}" for number in range(25)]
            figures = tuple(Figure(metric=name, value=1.0) for name in names)
            request.node.stash[FIGURES] = figures
        """
    )

    short = session("--harness-history=h.sqlite").stdout
    short.fnmatch_lines(["25 figures remembered: 25 could not judge", "    and 5 more (-v lists*"])
    assert "more (-v" not in session("-v", "--harness-history=h.sqlite").stdout.str()
