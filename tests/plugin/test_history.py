"""Sessions with a history: what they remember, and what makes them fail."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import pytest

import harness.history.judging
import harness.plugin.history
import harness.plugin.history_summary  # noqa: F401 - before pytester takes its snapshot
from harness.history.decisions import Acknowledgement, Quarantine, acknowledge, quarantine
from harness.history.opening import open_history
from tests.history.rows import START, commit, noisy, rows
from tests.plugin.conftest import NAME, text_of
from tests.runner.synthetic import BOUND, SEED

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Measured: TypeAlias = Callable[[float], None]

    from tests.plugin.conftest import Session, WriteFile
    from tests.runner.synthetic import MadeUpTraining

FAIL = "--harness-fail-on-regression"
CONSEQUENCE = (
    "The session fails. What is meant to be so is acknowledged by: harness history acknowledge "
    "SCENARIO --metric METRIC --reason WHY"
)

pytestmark = pytest.mark.usefixtures("one_environment")


def remember(values: list[float]) -> None:
    """Write what earlier sessions measured."""
    with open_history("h.sqlite") as history:
        history.add_all(rows(values, scenario=NAME))


def test_a_scenario_leaves_its_figures(
    session: Session, write: WriteFile, training: MadeUpTraining
) -> None:
    """Loss, steps, memory and time, with their direction; of several draws as one number."""
    training.loss = lambda pipeline: pipeline.seed / 100
    write("scenarios/area/s.toml", text_of("examples = 3", SEED, BOUND))

    result = session("--harness-history=h.sqlite")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["harness history: *h.sqlite", "4 figures remembered: 4 could*"])
    losses = sorted(seed / 100 for seed in training.seeds)
    with open_history("h.sqlite", create=False) as history:
        found = {one.series.metric: one for one in history.measurements()}
    assert {name: (one.value, one.series.better) for name, one in found.items()} == {
        "final_loss": (losses[1], "lower"),
        "steps": (3.0, "neutral"),
        "peak_rss_bytes": (2000.0, "neutral"),
        "wall_seconds": (6.0, "lower"),
    }
    assert {one.series.scenario for one in found.values()} == {"area/s"}
    assert len({one.series.definition for one in found.values()}) == 1


def test_thorough_sessions_are_not_remembered(
    session: Session, write: WriteFile, training: MadeUpTraining
) -> None:
    """They draw anew each time, so that their figures are comparable to nothing."""
    training.loss = lambda _: 1.0
    write("scenarios/area/s.toml", text_of("examples = 3", SEED, BOUND))

    session("--harness-profile=thorough", "--harness-history=h.sqlite").assert_outcomes(passed=1)

    with open_history("h.sqlite", create=False) as history:
        assert history.series() == ()


def test_an_edited_scenario_starts_anew(session: Session, write: WriteFile) -> None:
    """Its figures are of something else; the same scenario goes on with its series."""
    for seed in (1, 1, 2):
        write("scenarios/area/s.toml", text_of(BOUND, f"[pipeline]\nseed = {seed}"))
        session("--harness-history=h.sqlite").assert_outcomes(passed=1)

    with open_history("h.sqlite", create=False) as history:
        assert [one.count for one in history.series(metric="steps")] == [2, 1]


def test_an_item_with_a_scenario_is_known_by_it(
    session: Session, write: WriteFile, pytester: pytest.Pytester
) -> None:
    """Whatever kind of item it is; its definition changes with the pipeline."""
    pytester.makepyfile(
        test_it="""
        from pathlib import Path
        from harness.plugin.figures import FIGURES, Figure
        from harness.spec.loader import load_scenario

        def test_one(request):
            request.node.scenario = load_scenario(Path("files/area/s.toml"))
            request.node.stash[FIGURES] = (Figure(metric="step_seconds", value=1.0),)
        """
    )
    for seed in (1, 1, 2):
        write("files/area/s.toml", text_of(BOUND, f"[pipeline]\nseed = {seed}"))
        session("test_it.py", "--harness-history=h.sqlite").assert_outcomes(passed=1)

    with open_history("h.sqlite", create=False) as history:
        assert [(one.key.scenario, one.count) for one in history.series()] == [
            ("area/s", 2),
            ("area/s", 1),
        ]


def test_a_regression_fails_the_session(session: Session, measured: Measured) -> None:
    """All tests pass, and the session does not; the summary says what, how much and where."""
    remember([0.5] * 20 + [0.6])
    measured(0.6)

    result = session("--harness-history=h.sqlite", "--harness-fail-on-regression")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=1)
    text = result.stdout.str()
    section = text[text.index("training history") :].splitlines()[1:8]
    assert section == [
        "1 figure remembered: 1 regression",
        "",
        f"regression: {NAME} step_seconds +20.0 %",
        "    From 500 ms to 600 ms, where nothing scattered before.",
        f"    It came with {commit(20)[:10]}: look at {commit(19)[:10]}..{commit(20)[:10]}.",
        "",
        CONSEQUENCE,
    ]


def test_a_training_that_got_worse_fails_the_session(
    session: Session, write: WriteFile, training: MadeUpTraining
) -> None:
    """From one session to the next, with nothing but the sessions' own figures."""
    write("scenarios/area/s.toml", text_of(BOUND))
    arguments = ("--harness-history=h.sqlite", "--harness-fail-on-regression", "-p", "no:logging")
    losses = [1.0] * 10 + [1.1] * 2 + [1.0] * 2
    to_come = iter(losses)
    training.loss = lambda _: next(to_come)

    outcomes = [int(session(*arguments).ret) for _ in losses]

    # The first worse one could be an accident; when the loss is back twice, all is well again.
    assert outcomes == [0] * 11 + [1] * 2 + [0]


def test_a_noisy_regression_fails_the_session(session: Session, measured: Measured) -> None:
    """By statistics, with an interval."""
    remember(noisy(40) + noisy(8, level=0.0115, seed=1))
    measured(0.0115)

    result = session("--harness-history=h.sqlite", "--harness-fail-on-regression=5%")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [f"regression: {NAME} step_seconds +1*", "    From 9.* ms to 11.* ms, a change between *"]
    )


@pytest.mark.parametrize(
    ("before", "value", "case"),
    [
        ([0.5] * 20 + [0.4], 0.4, (FAIL, "improvement: *-20.0 %")),
        ([0.5] * 20 + [0.6], 0.6, (f"{FAIL}=0.25", "*1 no change")),
        ([0.5] * 20 + [0.6], 0.6, ("", "They fail nothing: *was not given.")),
        ([0.5] * 20, 0.6, (FAIL, "could not judge: the newest value, 0.6, is the first*")),
        ([0.5] * 5, 0.9, (FAIL, "could not judge: 6 commits so far*")),
        (noisy(40), 0.01, (FAIL, "*1 no change")),
        (noisy(40), 0.1, (FAIL, "*1 no change")),
    ],
)
def test_what_does_not_fail(
    session: Session, measured: Measured, before: list[float], value: float, case: tuple[str, str]
) -> None:
    """Good news, small news, nobody asked, too little to judge, scatter, one bad measurement."""
    argument, said = case
    remember(before)
    measured(value)

    result = session("--harness-history=h.sqlite", *argument.split())

    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines([said])


def test_decisions_are_heeded(session: Session, measured: Measured) -> None:
    """A known change is none; what is in quarantine is told and fails nothing."""
    remember([0.5] * 20 + [0.6] * 12)
    measured(0.6)
    about: dict[str, Any] = {
        "scenario": NAME,
        "metric": "step_seconds",
        "author": "me",
        "time": START,
    }
    arguments = ("--harness-history=h.sqlite", "--harness-fail-on-regression")
    assert session(*arguments).ret == pytest.ExitCode.TESTS_FAILED

    with open_history("h.sqlite") as history:
        quarantine(history, Quarantine(reason="A sick machine.", **about))
    result = session(*arguments)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["    In quarantine, it fails nothing: A sick machine."])

    with open_history("h.sqlite") as history:
        (twentieth,) = history.measurements(revision=commit(20))
        acknowledge(
            history,
            [
                Acknowledgement(
                    revision=commit(20), position=twentieth.position, reason="Meant.", **about
                )
            ],
        )
    result = session(*arguments)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["1 figure remembered: 1 no change"])


def test_a_failing_test_leaves_nothing(session: Session, measured: Callable[..., None]) -> None:
    """Its figures mean nothing."""
    measured(0.5, asserts="False")

    result = session("--harness-history=h.sqlite", "--harness-fail-on-regression")

    result.assert_outcomes(failed=1)
    assert "training history" not in result.stdout.str()
    with open_history("h.sqlite") as history:
        assert history.series() == ()


def test_what_was_measured_before_a_stop_is_kept(
    session: Session, measured: Measured, pytester: pytest.Pytester
) -> None:
    """-x ends the session, not the history."""
    remember([0.5] * 20 + [0.6])
    measured(0.6)
    pytester.makepyfile(test_next="def test_two(): assert False\ndef test_three(): pass")

    result = session("-x", "--harness-history=h.sqlite", "--harness-fail-on-regression")

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines([f"regression: {NAME} step_seconds +20.0 %"])


def test_junit_and_history_go_together(
    session: Session, measured: Measured, pytester: pytest.Pytester
) -> None:
    """The report is whole and lists no figures."""
    remember([0.5] * 20 + [0.6])
    measured(0.6)

    result = session(
        "--junitxml=r.xml", "--harness-history=h.sqlite", "--harness-fail-on-regression"
    )

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    tree = ET.parse(pytester.path / "r.xml")  # noqa: S314 - made one line above
    assert [case.get("name") for case in tree.iter("testcase")] == ["test_one"]
    assert list(tree.iter("property")) == []


def test_quiet_sessions_say_only_what_is_wrong(session: Session, measured: Measured) -> None:
    """Nothing at all while nothing is."""
    remember([0.5] * 20 + [0.6])
    measured(0.6)
    result = session("-q", "--harness-history=h.sqlite")
    result.stdout.fnmatch_lines([f"regression: {NAME} step_seconds +20.0 %"])

    measured(0.5)
    assert "training history" not in session("-q", "--harness-history=new.sqlite").stdout.str()
