"""What a child says of a scenario in its environment, with made-up trainings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness.comparison import judging
from harness.comparison.verdicts import Finding, Mark, Probe
from harness.errors import MissingBackendError, PipelineError
from harness.runner.judging import ENDING
from harness.trace import Stop, StopReason
from tests.runner.synthetic import BOUND, SEED, VERSIONS, MadeUpTraining, install, scenario_of

if TYPE_CHECKING:
    from pathlib import Path

ISSUE = """
[[known_issue]]
id = "loses"
versions = "keras>=3.10"
reason = "It loses too much."
expectation = "small"
when = [{ seed = { at_least = 50 } }]
example = { seed = 60 }
"""
BROKEN = Stop(reason=StopReason.ERROR, evidence="ValueError: no")


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> MadeUpTraining:
    """Made-up trainings in the place of real ones."""
    monkeypatch.setattr(judging, "installed_versions", lambda: VERSIONS)
    return install(monkeypatch)


def _marks(*parts: str, probes: tuple[Probe, ...] = ()) -> dict[str, Mark]:
    found = judging.findings(scenario_of(*parts), probes, "quick", VERSIONS)
    return {finding.item: finding.mark for finding in found}


def test_a_known_issue_that_shows_is_bad(training: MadeUpTraining) -> None:
    """Although it excuses the property, and although the versions are those it speaks about."""
    training.loss = lambda pipeline: 99.0 if pipeline.seed >= 50 else 1.0

    marks = _marks(SEED, BOUND, ISSUE)
    assert marks == {"property": Mark.GOOD, "known_issue[loses]": Mark.BAD}


def test_a_known_issue_that_is_gone_is_good(training: MadeUpTraining) -> None:
    """There is nothing to be mended in the release."""
    training.loss = lambda _: 1.0

    marks = _marks(SEED, BOUND, ISSUE)
    assert marks == {"property": Mark.GOOD, "known_issue[loses]": Mark.GOOD}


@pytest.mark.usefixtures("training")
def test_a_failure_can_be_asked_for_again() -> None:
    """By its draw and its expectation; known issues do not excuse it then."""
    scenario = scenario_of(SEED, BOUND)
    (found,) = judging.findings(scenario, (), "quick", VERSIONS)
    assert found.mark is Mark.BAD
    assert found.draw == {"seed": 11}
    assert found.expectation == "small"
    assert "final_loss is 11" in found.text

    (again,) = judging.findings(scenario_of(SEED, BOUND, ISSUE), (found.probe(),), "", VERSIONS)
    assert (again.mark, again.draw) == (Mark.BAD, {"seed": 11})
    excused = Probe(item="property", draw={"seed": 60}, expectation="small")
    assert _marks(SEED, BOUND, ISSUE, probes=(excused,)) == {"property": Mark.BAD}


@pytest.mark.parametrize(
    ("loss", "stop", "expectation", "mark"),
    [
        (1.0, None, "small", Mark.GOOD),
        (99.0, None, "small", Mark.BAD),
        (99.0, BROKEN, "small", Mark.SKIP),
        (1.0, BROKEN, ENDING, Mark.BAD),
        (1.0, None, ENDING, Mark.GOOD),
    ],
)
def test_only_the_same_failure_counts(
    loss: float, stop: Stop | None, expectation: str, mark: Mark, training: MadeUpTraining
) -> None:
    """A run that breaks down otherwise says nothing about the failure that is looked for."""
    training.loss = lambda _: loss
    training.stop = lambda _: stop
    probe = Probe(item="property", draw={"seed": 3}, expectation=expectation)

    assert _marks(SEED, BOUND, probes=(probe,)) == {"property": mark}


@pytest.mark.usefixtures("training")
def test_what_is_not_about_a_release_says_nothing() -> None:
    """Neither at first nor when it is asked again."""
    parts = ('requires = "keras>=4"', SEED, BOUND)
    probe = Probe(item="property", draw={"seed": 3}, expectation="small")

    assert _marks(*parts) == {"property": Mark.SKIP}
    assert _marks(*parts, probes=(probe,)) == {"property": Mark.SKIP}


def test_a_failure_that_does_not_repeat_says_nothing(training: MadeUpTraining) -> None:
    """It would lead the search astray."""
    losses = iter([1.0, 99.0])
    training.loss = lambda _: next(losses, 1.0)

    (found,) = judging.findings(scenario_of(SEED, BOUND), (), "quick", VERSIONS)
    assert found.mark is Mark.SKIP
    assert found.reason.endswith("which does not repeat")


@pytest.mark.usefixtures("training")
def test_the_whole_answer(tmp_path: Path) -> None:
    """Findings and versions, read back as they were."""
    answer = _answer(tmp_path, packages=["packaging", "no-such-package"])

    assert answer["versions"].keys() == {"keras", "tensorflow", "packaging"}
    (finding,) = map(Finding.from_json, answer["findings"])
    assert (finding.item, finding.mark) == ("property", Mark.BAD)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MissingBackendError("keras must be importable"), "does not import: no symbol"),
        (PipelineError("no such layer"), "cannot run it: no such layer"),
    ],
)
@pytest.mark.usefixtures("training")
def test_a_release_that_does_not_run(
    error: Exception, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer says why."""

    def fails() -> dict[str, str]:
        raise error from ImportError("no symbol")

    monkeypatch.setattr(judging, "installed_versions", fails)
    assert _answer(tmp_path) == {"missing": said}


def _answer(folder: Path, packages: list[str] | None = None) -> dict[str, Any]:
    scenario = folder / "s.toml"
    scenario.write_text(f'title = "Losses stay small"\n{SEED}{BOUND}')
    request = {
        "scenario": str(scenario),
        "profile": "quick",
        "probes": [],
        "packages": packages or [],
    }
    found: dict[str, Any] = json.loads(json.dumps(judging.judge(request)))
    return found
