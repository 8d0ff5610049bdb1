"""What pytest and its plugins offer works on scenarios as on any other test."""

import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.spec.pipeline import PipelineSpec
from tests.plugin.conftest import BROKEN, PASSES, Session, WriteFile, text_of
from tests.runner.synthetic import BOUND, SEED, MadeUpTraining

ISSUE = """
[[known_issue]]
id = "too-much"
versions = "keras>=3,<4"
reason = "The loss of seeds above ten is too large."
expectation = "small"
when = [{ seed = { at_least = 11 } }]
example = { seed = 11 }
"""
FAILS = text_of(SEED, BOUND)
KNOWN = text_of(SEED, BOUND, ISSUE)

CONFTEST = """
import pytest
from tests.runner.synthetic import install

install(pytest.MonkeyPatch())
"""
"""For processes of their own, where a fixture cannot reach."""


@pytest.fixture
def elsewhere(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., pytest.RunResult]:
    """Runs a session in another process, with made-up trainings there too."""
    pytester.makeconftest(CONFTEST)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    return pytester.runpytest_subprocess


def test_runxfail_shows_what_a_known_issue_does(session: Session, write: WriteFile) -> None:
    """The option that runs expected failures as ordinary tests prints the failure whole."""
    write("scenarios/known.toml", KNOWN)

    result = session("--runxfail")

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["  scenarios/known.toml: small, known issue too-much", "  got       11"]
    )


def test_a_node_id_selects_one_item(session: Session, write: WriteFile) -> None:
    """It can be copied from a report."""
    write("scenarios/known.toml", KNOWN)

    session("scenarios/known.toml::known_issue[too-much]").assert_outcomes(xfailed=1)


def test_warnings_of_a_training_are_no_errors(
    session: Session, write: WriteFile, training: MadeUpTraining
) -> None:
    """`-W error` is about the user's own tests; other libraries warn when they are imported."""

    def warn(_: PipelineSpec) -> float:
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        return 0.0

    training.loss = warn
    write("scenarios/holds.toml")

    session("-W", "error").assert_outcomes(passed=1)


def test_the_draw_is_told_when_a_draw_cannot_be_run(
    session: Session, write: WriteFile, training: MadeUpTraining
) -> None:
    """An error of ours amid many draws says which one it was."""

    def crash(pipeline: PipelineSpec) -> float:
        return 1 / (pipeline.seed // 100)

    training.loss = crash
    write("scenarios/varies.toml", FAILS)

    result = session()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(['E       It was drawn: {"seed": *}'])


@pytest.mark.parametrize("distribution", ["load", "loadfile", "loadscope"])
def test_xdist_reports_what_one_process_does(
    distribution: str, elsewhere: Callable[..., pytest.RunResult], write: WriteFile
) -> None:
    """Outcomes, texts and the summary come through from the workers."""
    write("scenarios/broken.toml", BROKEN)
    write("scenarios/fails.toml", FAILS)
    write("scenarios/holds.toml", PASSES)
    write("scenarios/known.toml", KNOWN)

    result = elsewhere("-n", "2", "--dist", distribution)

    result.assert_outcomes(passed=2, failed=2, xfailed=1)
    result.stdout.fnmatch_lines(
        [
            "    harness run scenarios/fails.toml --draw '{\"seed\": 11}'",
            "2 passed, 1 failed, 1 known issue, 1 not judged",
        ]
    )


def test_xdist_keeps_the_items_of_a_file_together(
    elsewhere: Callable[..., pytest.RunResult], write: WriteFile
) -> None:
    """With loadfile one worker runs a whole file, so that it can use its pipelines again."""
    for name in "abcd":
        write(f"scenarios/{name}.toml", KNOWN)

    result = elsewhere("-n", "2", "--dist", "loadfile", "-v")

    workers: dict[str, set[str]] = {}
    for line in result.outlines:
        if line.startswith("[gw") and "::" in line:
            file = next(word for word in line.split() if "::" in word).partition("::")[0]
            workers.setdefault(file, set()).add(line.partition("]")[0])
    assert sorted(workers) == [f"scenarios/{name}.toml" for name in "abcd"]
    assert all(len(names) == 1 for names in workers.values())
