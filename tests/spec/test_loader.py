"""Scenarios and the pipelines of their draws."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import SpecError
from harness.spec import Scenario, parse_scenario
from harness.spec.callbacks import EarlyStoppingSpec
from harness.spec.optimizer import AdamSpec, SGDSpec

CASES = Path(__file__).parent / "cases" / "valid"


def _scenario(name: str) -> Scenario:
    path = CASES / f"{name}.toml"
    return parse_scenario(path.read_text("utf-8"), path=f"area/{path.name}")


def test_scenario_has_the_first_sample_of_every_draw() -> None:
    """The base pipeline is complete although the file is not, and so is the template."""
    scenario = _scenario("drawn_gradients")

    assert scenario.id == "drawn_gradients"
    assert scenario.area == "area"
    assert scenario.base.optimizer == SGDSpec(gradient_accumulation_steps=2)
    assert scenario.template["training"]["gradients"] == [[-2.0] * 3] * 4
    assert scenario.template["loss"] == {"kind": "mean_squared_error"}


def test_area_of_a_lonely_file() -> None:
    """Without a folder there is no area."""
    text = (CASES / "minimal.toml").read_text("utf-8")

    assert parse_scenario(text, path="minimal.toml").area == ""


def test_pipeline_of_a_draw() -> None:
    """Only what was drawn differs from the base; tables in place of names keep their other keys."""
    scenario = _scenario("drawn_gradients")

    pipeline = scenario.pipeline_for(
        {
            "training.gradients": [[0.5, math.inf, 1]],
            "optimizer": "adam",
            "optimizer.gradient_accumulation_steps": 4,
            "optimizer.learning_rate": 0.5,
        }
    )

    assert pipeline.optimizer == AdamSpec(learning_rate=0.5, gradient_accumulation_steps=4)
    assert pipeline.model_copy(
        update={"training": scenario.base.training, "optimizer": scenario.base.optimizer}
    ) == (scenario.base)


def test_draw_does_not_leak_into_the_next() -> None:
    """Scenarios are frozen, whatever is drawn."""
    scenario = _scenario("early_stopping")
    before = repr(scenario)

    callback = scenario.pipeline_for({"callbacks.0.patience": 5}).callbacks[0]

    assert isinstance(callback, EarlyStoppingSpec)
    assert callback.patience == 5
    assert repr(scenario) == before


def test_draw_that_is_no_pipeline() -> None:
    """A wrong value, a dead end and an impossible combination have the pipeline's own keys."""
    scenario = _scenario("early_stopping")

    with pytest.raises(SpecError) as wrong:
        scenario.pipeline_for({"callbacks.0.patience": -1, "callbacks.1.patience": 3, "sead": 3})
    with pytest.raises(SpecError) as impossible:
        scenario.pipeline_for({"data.source": "generator", "data.shuffle": True})

    assert str(wrong.value) == (
        "area/early_stopping.toml: pipeline.callbacks.1.patience must lead to a place in the "
        "pipeline, got 'callbacks.1.patience'.\n"
        "area/early_stopping.toml: pipeline.callbacks.0.patience must be >= 0, got -1.\n"
        "area/early_stopping.toml: pipeline.sead must lead to a place in the pipeline, "
        "got 'sead'. Did you mean 'seed'?"
    )
    assert str(impossible.value) == (
        "area/early_stopping.toml: pipeline.data.shuffle must be false for the source generator, "
        "got True. Use an array or a dataset."
    )


def test_reading_scenarios_is_light() -> None:
    """No numerical library, no Keras and no Hypothesis is needed to read a scenario."""
    program = (
        "import sys\n"
        "import harness.spec, harness.spec.schema\n"
        "heavy = {'hypothesis', 'jsonschema', 'keras', 'numpy', 'pytest', 'tensorflow'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )

    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert result.stdout == "[]\n"
