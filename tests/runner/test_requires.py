"""Versions that a scenario requires: elsewhere there is nothing to judge."""

import pytest

from harness.pipeline.device import Device
from harness.runner.profiles import Budget
from harness.runner.properties import judge_issue, judge_scenario
from harness.runner.verdict import Outcome
from tests.runner.synthetic import BOUND, MadeUpTraining, install, scenario_of

BUDGET = Budget(examples=60, seed=1)

ISSUE = """
[[known_issue]]
id = "loses"
versions = "keras>=3.10"
reason = "It loses too much."
expectation = "small"
example = { seed = 60 }
"""


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> MadeUpTraining:
    """Made-up trainings in the place of real ones."""
    return install(monkeypatch)


@pytest.mark.parametrize(
    ("requires", "reason"),
    [
        ("keras>=4", "it requires keras>=4, and keras 3.15.1 is installed"),
        ("no-such-thing>=1", "it requires no-such-thing>=1, and no-such-thing none is installed"),
    ],
)
def test_what_a_scenario_requires_and_is_not_there(
    training: MadeUpTraining, requires: str, reason: str
) -> None:
    """Nothing is run: neither the scenario nor the example of its known issue."""
    scenario = scenario_of(f'requires = "{requires}"', BOUND, ISSUE)

    verdicts = (
        judge_scenario(scenario, BUDGET),
        judge_issue(scenario, scenario.spec.known_issue[0]),
    )

    assert [(verdict.outcome, verdict.reason) for verdict in verdicts] == [
        (Outcome.SKIPPED, reason)
    ] * 2
    assert verdicts[1].issue == scenario.spec.known_issue[0].id
    assert training.pipelines == []


@pytest.mark.parametrize("requires", ["keras>=3.10", "pytest>=8"])
def test_what_a_scenario_requires_and_is_there(training: MadeUpTraining, requires: str) -> None:
    """It is judged; packages beyond the stack are looked up where they are installed."""
    verdict = judge_scenario(scenario_of(f'requires = "{requires}"', BOUND), BUDGET)

    assert verdict.outcome is Outcome.PASSED
    assert len(training.pipelines) == 1


ON_A_DEVICE = """
[[expect]]
kind = "bound"
figure = "peak_device_bytes"
at_most = 10
because = "it is small"
"""


@pytest.mark.parametrize("requires", ["", 'requires = "keras>=3.10"'])
def test_memory_of_a_gpu_requires_one(
    training: MadeUpTraining, monkeypatch: pytest.MonkeyPatch, requires: str
) -> None:
    """Without a GPU nothing is run; with one the scenario is judged like any other."""
    scenario = scenario_of(requires, ON_A_DEVICE)
    found = {"kind": "cpu"}
    monkeypatch.setattr("harness.pipeline.device.device", lambda: Device(name="", count=1, **found))

    skipped = judge_scenario(scenario, BUDGET)
    assert (skipped.outcome, skipped.reason) == (Outcome.SKIPPED, "not judged: no GPU")
    assert training.pipelines == []

    found["kind"] = "gpu"
    judge_scenario(scenario, BUDGET)
    assert len(training.pipelines) == 1
