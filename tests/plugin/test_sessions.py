"""Pytest sessions with scenarios in them: outcomes, selection, reports."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from harness.errors import MissingBackendError
from tests.plugin.conftest import Session, WriteFile, text_of
from tests.plugin.test_collection import ISSUE
from tests.runner.synthetic import BOUND, SEED, MadeUpTraining

HIGH = "[pipeline]\nseed = 12\n"
CLAIM = """
[[claim]]
text = "003"
says = "Losses go down."
verdict = "confirmed"
finding = "They do."
"""


def test_a_scenario_that_holds_passes(session: Session, write: WriteFile) -> None:
    """It is a test like any other."""
    write("scenarios/a/one.toml")

    session().assert_outcomes(passed=1)


def test_a_failure_is_the_whole_text_and_nothing_else(session: Session, write: WriteFile) -> None:
    """No traceback, no internals; the replay command names the file as typed."""
    write("scenarios/a/one.toml", text_of(BOUND, HIGH))

    result = session()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*Losses stay small (property)*",
            "Losses stay small",
            "  scenarios/a/one.toml: small",
            "  final_loss is 12: above, it must be at most 10",
            "    harness run scenarios/a/one.toml",
        ]
    )
    assert "Traceback" not in result.stdout.str()
    assert "ScenarioFailed" not in result.stdout.str().split("short test summary")[0]


def test_a_known_issue_is_an_expected_failure(
    session: Session, write: WriteFile, training: MadeUpTraining
) -> None:
    """While it shows; the property around it is judged as ever."""
    training.loss = lambda pipeline: 99.0 if pipeline.seed >= 50 else 1.0
    write("scenarios/a/k.toml", text_of(SEED, BOUND, ISSUE))

    result = session("-rx")

    result.assert_outcomes(passed=1, xfailed=1)
    result.stdout.fnmatch_lines(["XFAIL *::known_issue?loses?*It loses too much.*"])


def test_a_fixed_issue_fails(session: Session, write: WriteFile, training: MadeUpTraining) -> None:
    """The day it no longer shows, somebody must hear of it."""
    training.loss = lambda _: 1.0
    write("scenarios/a/k.toml", text_of(SEED, BOUND, ISSUE))

    result = session()

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["  Known issue loses no longer shows on keras 3.15.1.*", "*1 passed, 1 fixed*"]
    )


def test_a_seed_and_a_profile_can_be_asked_for(
    session: Session, write: WriteFile, training: MadeUpTraining
) -> None:
    """The same seed draws the same; a dearer profile draws more; the header says so."""
    training.loss = lambda _: 1.0
    write("scenarios/a/s.toml", text_of("examples = 3", SEED, BOUND))
    runs = []
    for arguments in (
        [],
        [],
        ["--harness-seed", "5"],
        ["--harness-profile", "ci", "--harness-seed", "5"],
    ):
        training.pipelines.clear()
        result = session(*arguments)
        result.assert_outcomes(passed=1)
        runs.append(training.seeds)

    assert runs[0] == runs[1] != runs[2]
    assert [len(seeds) for seeds in runs] == [3, 3, 3, 9]
    result.stdout.fnmatch_lines(["harness: profile ci, seed 5"])


def test_the_ini_file_can_name_a_profile(
    session: Session, write: WriteFile, training: MadeUpTraining, pytester: pytest.Pytester
) -> None:
    """It holds unless the command line says otherwise."""
    training.loss = lambda _: 1.0
    write("scenarios/a/s.toml", text_of("examples = 3", SEED, BOUND))
    pytester.makeini("[pytest]\nharness_profile = ci\n")

    session().assert_outcomes(passed=1)
    assert len(training.seeds) == 9

    training.pipelines.clear()
    session("--harness-profile=quick").assert_outcomes(passed=1)
    assert len(training.seeds) == 3


def test_an_unknown_profile_is_an_error_of_usage(
    session: Session, pytester: pytest.Pytester
) -> None:
    """Before anything is collected."""
    pytester.makeini("[pytest]\nharness_profile = slow\n")

    result = session()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: harness_profile must be one of quick, ci, thorough, got 'slow'."]
    )


def test_thorough_keeps_what_it_finds(
    session: Session, write: WriteFile, training: MadeUpTraining, pytester: pytest.Pytester
) -> None:
    """The next thorough session tries it first; quick sessions neither write nor read."""
    write("scenarios/a/s.toml", text_of(SEED, BOUND))
    kept = pytester.path / ".harness" / "found" / "a" / "s.json"
    session().assert_outcomes(failed=1)
    assert not kept.exists()

    session("--harness-profile=thorough").assert_outcomes(failed=1)
    assert json.loads(kept.read_text())["draws"] == [{"seed": 11}]

    training.pipelines.clear()
    session("--harness-profile=thorough").assert_outcomes(failed=1)
    assert training.seeds == [11, 11]


def test_selection_by_name(session: Session, write: WriteFile) -> None:
    """-k knows files and issues."""
    write("scenarios/a/one.toml")
    write("scenarios/a/two.toml", text_of(SEED, BOUND, ISSUE))

    session("-k", "one").assert_outcomes(passed=1, deselected=2)
    session("-k", "loses").assert_outcomes(xfailed=1, deselected=2)
    session("scenarios/a/one.toml::property").assert_outcomes(passed=1)


def test_the_first_failure_can_end_the_session(session: Session, write: WriteFile) -> None:
    """-x stops there."""
    write("scenarios/a/one.toml", text_of(BOUND, HIGH))
    write("scenarios/a/two.toml", text_of(BOUND, HIGH))

    session("-x").assert_outcomes(failed=1)


def test_the_last_failures_can_be_run_again(
    session: Session, write: WriteFile, training: MadeUpTraining
) -> None:
    """--lf runs what was red."""
    write("scenarios/a/one.toml", text_of(BOUND, HIGH))
    write("scenarios/a/two.toml")
    session().assert_outcomes(passed=1, failed=1)
    training.pipelines.clear()

    session("--lf").assert_outcomes(failed=1)

    assert training.seeds == [12]


def test_without_the_plugin_there_are_no_scenarios(session: Session, write: WriteFile) -> None:
    """-p no:harness leaves everything alone."""
    write("scenarios/a/one.toml")

    assert session("-p", "no:harness").ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_junit_has_outcomes_as_properties(
    session: Session, write: WriteFile, pytester: pytest.Pytester
) -> None:
    """Outcome, title, examples, stop, seed, reason and claims of each item."""
    write("scenarios/a/k.toml", text_of(SEED, BOUND.replace("10.0", "100.0"), CLAIM))
    session("--junitxml=report.xml", "--harness-seed=5").assert_outcomes(passed=1)

    tree = ET.parse(pytester.path / "report.xml")  # noqa: S314 - made one line above
    properties = [(item.get("name"), item.get("value")) for item in tree.iter("property")]
    assert properties == [
        ("harness_outcome", "passed"),
        ("harness_title", "Losses stay small"),
        ("harness_examples", "10"),
        ("harness_stop", "completed"),
        ("harness_seed", "5"),
        ("harness_claim", "003 confirmed: Losses go down."),
    ]


def test_the_summary_says_what_came_out(
    session: Session, write: WriteFile, training: MadeUpTraining
) -> None:
    """Counts, known issues with their reason, what could not be judged, and the claims."""
    training.loss = lambda pipeline: 99.0 if pipeline.seed >= 50 else 1.0
    write("scenarios/a/bad.toml", text_of("nonsense = 1", BOUND))
    write("scenarios/a/good.toml", text_of(BOUND, CLAIM))
    write("scenarios/a/issue.toml", text_of(SEED, BOUND, ISSUE))

    result = session("-v")

    text = result.stdout.str()
    start = text.index("training scenarios")
    section = "\n".join(
        line.rstrip() for line in text[start:].splitlines()[1:] if not line.startswith("=")
    )
    assert section.startswith(
        "2 passed, 1 known issue, 1 not judged\n"
        "\n"
        "known issue:\n"
        "  scenarios/a/issue.toml::known_issue[loses]\n"
        "    It loses too much.\n"
        "\n"
        "not judged:\n"
        "  scenarios/a/bad.toml::file\n"
        "    scenarios/a/bad.toml:2: nonsense must"
    )
    assert (
        "\nclaims of the literature that these runs settle: 1 confirmed:\n"
        "    003 confirmed: Losses go down." in section
    )


@pytest.mark.usefixtures("training")
def test_what_is_not_for_these_versions_is_skipped(session: Session, write: WriteFile) -> None:
    """As pytest users know it, with the reason in the summary."""
    write("scenarios/a/later.toml", text_of('requires = "keras>=9"', BOUND))

    result = session("-rs")

    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(
        [
            "1 skipped",
            "skipped:",
            "  scenarios/a/later.toml::property",
            "    it requires keras>=9, and keras 3.15.1 is installed",
        ]
    )


def test_quiet_sessions_have_no_summary(session: Session, write: WriteFile) -> None:
    """-q means it."""
    write("scenarios/a/one.toml")

    assert "training scenarios" not in session("-q").stdout.str()


@pytest.mark.usefixtures("training")
def test_a_missing_backend_is_said(
    session: Session, write: WriteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What to install, without traceback; nothing passes."""

    def missing() -> None:
        message = "keras must be importable to train anything, got nothing. Install one."
        raise MissingBackendError(message)

    monkeypatch.setattr("harness.runner.properties.installed_versions", missing)
    write("scenarios/a/one.toml")

    result = session()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*could not be judged: keras must be importable to train anything, got nothing. Install*"]
    )
    assert "Traceback" not in result.stdout.str()


def test_an_error_of_ours_shows_a_traceback(
    session: Session, write: WriteFile, training: MadeUpTraining
) -> None:
    """It is no fault of the scenario, and must be reported to us whole."""

    def broken(_: object) -> float:
        message = "our own mistake"
        raise ZeroDivisionError(message)

    training.loss = broken
    write("scenarios/a/one.toml", text_of(SEED, BOUND))

    result = session()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*judge_draw*", "E *ZeroDivisionError: our own mistake"])


def test_scenarios_are_shared_among_processes(write: WriteFile, pytester: pytest.Pytester) -> None:
    """Under xdist the summary has what all of them found."""
    pytest.importorskip("xdist")
    for number in range(3):
        write(f"scenarios/a/s{number}.toml")
    write("scenarios/a/bad.toml", text_of(BOUND, HIGH))
    root = Path(__file__).parents[2]
    pytester.makeconftest(
        f"""
        import sys
        import pytest
        sys.path.insert(0, {str(root)!r})
        from tests.runner.synthetic import install

        def pytest_configure():
            install(pytest.MonkeyPatch())
        """
    )

    result = pytester.runpytest_subprocess("-n", "2", "-p", "no:benchmark")

    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["*training scenarios*", "3 passed, 1 failed"])


def test_a_session_without_scenarios_is_as_if_the_plugin_were_not_there(
    pytester: pytest.Pytester,
) -> None:
    """Nothing is printed and nothing heavy is imported."""
    pytester.makepyfile(
        """
        import sys

        def test_nothing():
            heavy = {"tensorflow", "keras", "numpy", "pydantic"}
            assert not heavy & set(sys.modules)
            assert "harness.plugin" in sys.modules
            assert not [n for n in sys.modules if n.startswith(("harness.spec", "harness.runner"))]
        """
    )
    (pytester.path / "config.toml").write_text("[tool]\n")

    # Hypothesis has a plugin of its own, which may import it.
    result = pytester.runpytest_subprocess("-p", "no:benchmark", "-p", "no:hypothesispytest")

    result.assert_outcomes(passed=1)
    assert "harness:" not in result.stdout.str()
    assert "training scenarios" not in result.stdout.str()
