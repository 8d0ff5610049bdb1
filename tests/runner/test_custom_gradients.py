"""What runs leave in TensorFlow's table of gradients, which nothing else ever empties."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING, Any

import pytest
from tensorflow.python.framework import ops  # the table has no public name

from harness.runner.run import SESSIONS, run_pipeline
from harness.runner.sessions import SESSIONS_KEPT
from harness.spec.pipeline import PipelineSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

DRIVEN: dict[str, Any] = {
    "model": {"kind": "variables"},
    "training": {"kind": "apply_gradients", "gradients": [[1.0] * 5]},
}
CLIPPED: list[float] = [0.5 + number for number in range(SESSIONS_KEPT + 2)]


@pytest.fixture(autouse=True)
def sessions() -> Iterator[None]:
    """Keep no pipelines of other tests."""
    SESSIONS.clear()
    yield
    SESSIONS.clear()


def clipping(limit: float, **tables: Any) -> PipelineSpec:
    """Return a spec whose step clips, for which TensorFlow registers a gradient."""
    optimizer = {"kind": "sgd", "learning_rate": 0.1, "clipvalue": limit}
    return PipelineSpec.model_validate({**DRIVEN, "optimizer": optimizer, **tables})


def entries() -> set[str]:
    """Return the names in the table."""
    return {name for name in ops.gradient_registry.list() if name.startswith("CustomGradient")}


def test_only_kept_pipelines_have_gradients() -> None:
    """Those that others push out take theirs with them."""
    before = entries()
    for limit in CLIPPED[:SESSIONS_KEPT]:
        run_pipeline(clipping(limit))
    full = entries()
    for limit in CLIPPED[SESSIONS_KEPT:]:
        run_pipeline(clipping(limit))
    assert before < full
    assert len(entries()) == len(full)
    SESSIONS.clear()
    assert entries() == before


def test_a_pipeline_that_is_built_afresh_leaves_nothing() -> None:
    """Not even the graph of its step."""
    before = entries()
    run_pipeline(clipping(0.5), reuse=False)
    assert entries() == before


def test_a_kept_pipeline_still_trains() -> None:
    """Its gradients are there as long as it is."""
    first = run_pipeline(clipping(0.5))
    assert run_pipeline(clipping(0.5)).steps.gradient_norm == first.steps.gradient_norm


def test_gradients_of_the_users_own_code_stay() -> None:
    """A function of his may be called by the next run, too."""
    before = entries()
    arguments = {"initial_learning_rate": 0.1, "decay_steps": 5}
    place = "keras.optimizers.schedules:CosineDecay"
    schedule = {"kind": "import", "import": place, "arguments": arguments}
    optimizer = {"kind": "sgd", "learning_rate": schedule, "clipvalue": 0.5}
    run_pipeline(PipelineSpec.model_validate({**DRIVEN, "optimizer": optimizer}))
    assert before < entries()


def test_models_are_given_back() -> None:
    """A training's model dies with its pipeline, although its step was traced."""
    data = {"kind": "linear_regression", "examples": 8}
    run_pipeline(PipelineSpec.model_validate({"data": data}))
    (session,) = SESSIONS._kept.values()
    model = weakref.ref(session.pipeline.model)
    del session
    SESSIONS.clear()
    gc.collect()
    assert model() is None
