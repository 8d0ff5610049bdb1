"""Children that really train: results over seeds, and the verdict on a scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.comparison.environments import parse_environment
from harness.comparison.preparing import prepare
from harness.comparison.results import compare_results
from harness.comparison.trials import ScenarioTrial
from harness.comparison.verdicts import Mark, Probe
from harness.statistics.verdict import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from harness.comparison.cache import Cache

SCENARIO = """
title = "A line is learnt"

[pipeline]
data = { kind = "linear_regression", examples = 32, batch_size = 8, noise_std = 0.1 }
model = { kind = "mlp", units = [4, 1] }
training = { kind = "fit", epochs = 3 }

[[expect]]
kind = "bound"
id = "long"
figure = "steps"
at_most = 8
because = "three epochs have twelve steps; the scenario is made to fail"
"""


def test_an_environment_arrives_at_the_same_results_as_itself(tmp_path: Path, cache: Cache) -> None:
    """Over all seeds, and step by step to the last bit."""
    file = tmp_path / "s.toml"
    file.write_text(SCENARIO)
    here = prepare(parse_environment("."), cache)

    found = compare_results(here, here, file, seeds=5, margin=None)

    assert found.verdict is Verdict.NO_CHANGE
    assert [curve.name for curve in found.curves] == ["loss"]
    assert (found.parting.steps, found.parting.first, found.parting.largest) == (12, None, 0.0)
    assert found.versions[0].keys() == {"keras", "numpy", "python", "tensorflow"}
    assert found.curves[0].equivalence.margins[-1] > 0.0


def test_a_scenario_is_judged_in_its_environment(tmp_path: Path, cache: Cache) -> None:
    """In full, and then by the draw that failed."""
    file = tmp_path / "s.toml"
    file.write_text(SCENARIO)
    trial = ScenarioTrial(file=file, cache=cache)
    here = prepare(parse_environment("threads:1"), cache)

    (full,) = trial.judge(here, ())
    assert (full.mark, full.expectation) == (Mark.BAD, "long")
    assert "steps is 12: above, it must be at most 8" in full.text
    (again,) = trial.judge(here, (full.probe(),))
    assert again.mark is Mark.BAD
    (other,) = trial.judge(here, (Probe(item="property", draw={"training.epochs": 2}),))
    assert other.mark is Mark.GOOD
