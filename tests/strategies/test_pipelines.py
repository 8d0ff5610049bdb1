"""Whole pipelines: a bounded pool of structures, values in them, and what they shrink to."""

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings

from harness.runner.sessions import structure
from harness.spec import parse_scenario
from harness.spec.loaded import Scenario
from harness.strategies import EXAMPLES_PER_STRUCTURE, draws, strategy_for
from harness.strategies.structures import pool

if TYPE_CHECKING:
    from harness.spec.vary import Part

FIT = """
[pipeline]
data = { kind = "linear_regression", features = 3, batch_size = 5, source = "dataset" }
model = { kind = "mlp", units = [3, 1], activation = "tanh" }
precision = { policy = "float64" }
"""
DRIVEN = """
[pipeline]
model = { kind = "variables" }
precision = { policy = "float64" }
training = { kind = "apply_gradients", gradients = [[1.0, 1.0, 1.0, 1.0, 1.0]] }
"""
PARTS = (
    "callbacks", "compile", "data", "metrics", "model", "optimizer", "task", "training",
    "validation",
)  # fmt: skip


def scenario(pipeline: str, *parts: str) -> Scenario:
    """Return a scenario that draws these parts of a pipeline."""
    text = f"""
title = "Whole pipelines are drawn"
{pipeline}
[vary]
pipeline = {{ any = {json.dumps(parts)} }}

[[expect]]
kind = "matches_oracle"
"""
    return parse_scenario(text, path="made_up.toml")


def drawn(chosen: Scenario, examples: int = 96, seed: int = 3) -> list[dict[str, Any]]:
    """Return that many draws."""
    found: list[dict[str, Any]] = []

    @settings(
        max_examples=examples,
        phases=[Phase.generate],
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(draws(chosen.spec.vary, chosen.template, seed=seed, examples=examples))
    def collect(draw: dict[str, Any]) -> None:
        found.append(draw)

    collect()
    return found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("pipeline", "parts"),
    [(FIT, PARTS), (DRIVEN, ("optimizer", "gradients"))],
    ids=["fit", "driven"],
)
def test_every_draw_makes_a_pipeline_that_can_run(
    pipeline: str, parts: tuple[str, ...], seed: int
) -> None:
    """None has to be refused: structures are checked when the pool is made."""
    chosen = scenario(pipeline, *parts)
    for draw in drawn(chosen, seed=seed):
        chosen.pipeline_for(draw)


def test_most_draws_share_a_structure() -> None:
    """Values vary within few structures, so that compiled pipelines are used again."""
    chosen = scenario(DRIVEN, "optimizer", "gradients")
    kinds = [structure(chosen.pipeline_for(draw), None) for draw in drawn(chosen)]
    # A feature is left out now and then, for which shrinking looks.
    assert len(set(kinds)) < 3 * 96 / EXAMPLES_PER_STRUCTURE
    assert len(kinds) > 60


def test_a_seed_decides_on_the_pool() -> None:
    """The same seed gives the same structures, the simplest first; another gives others."""
    chosen = scenario(DRIVEN, "optimizer", "gradients")
    parts: tuple[Part, ...] = ("optimizer", "gradients")
    first = pool(parts, chosen.template, seed=1, size=8)
    assert first == pool(parts, chosen.template, seed=1, size=8)
    assert first != pool(parts, chosen.template, seed=2, size=8)
    assert first[0] == ()
    assert [len(found) for found in first] == sorted(len(found) for found in first)


def test_settings_come_together() -> None:
    """Accumulation, clipping, decay, averages, scales and schedules meet in one structure."""
    chosen = scenario(DRIVEN, "optimizer", "gradients")
    found = pool(("optimizer", "gradients"), chosen.template, seed=1, size=100)
    keys = [{key for feature in structure for key in feature} for structure in found]
    together = {
        "optimizer.gradient_accumulation_steps",
        "optimizer.weight_decay",
        "optimizer.use_ema",
        "precision.loss_scale",
        "optimizer.learning_rate",
    }
    assert any(together <= names for names in keys)


def test_shrinking_leaves_what_is_needed() -> None:
    """Of all features those stay without which the failure is gone, the values are the least."""
    chosen = scenario(DRIVEN, "optimizer", "gradients")
    smallest = find(
        draws(chosen.spec.vary, chosen.template, seed=1, examples=240),
        lambda draw: "optimizer.weight_decay" in draw and "optimizer.use_ema" in draw,
        settings=settings(database=None, derandomize=True, max_examples=2000),
    )
    # Decay may come with its exclusions, as one feature.
    beside = {"training.gradients", "model.initial", "optimizer.exclude_from_weight_decay"}
    features = set(smallest) - beside
    assert features == {
        "optimizer.weight_decay",
        "optimizer.use_ema",
        "optimizer.ema_momentum",
        "optimizer.learning_rate",
    }
    assert smallest["optimizer.learning_rate"] == 0.0
    assert not any(smallest["model.initial"])
    assert len(smallest["training.gradients"]) == 1


def test_a_whole_pipeline_needs_its_tables() -> None:
    """It is no draw of a value."""
    whole = scenario(FIT, "data").spec.vary["pipeline"]
    with pytest.raises(TypeError, match="whole pipelines are drawn by `draws`"):
        strategy_for(whole)
