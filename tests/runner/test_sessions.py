from __future__ import annotations

from typing import Any

import pytest

from harness.pipeline.inputs import build_inputs
from harness.pipeline.numerics import numerics
from harness.runner.sessions import Session, Sessions, has_import, structure
from harness.spec.pipeline import PipelineSpec
from harness.trace import Recording


def spec_of(**tables: Any) -> PipelineSpec:
    """Return a spec of tables."""
    return PipelineSpec.model_validate(tables)


def structure_of(**tables: Any) -> str | None:
    """Return the structure of tables."""
    spec = spec_of(**tables)
    return structure(spec, build_inputs(spec).examples)


SAME: list[dict[str, Any]] = [
    {"optimizer": {"kind": "sgd", "learning_rate": 0.5}},
    {"training": {"kind": "fit", "epochs": 7}},
    {"data": {"kind": "linear_regression", "examples": 24, "seed": 5}},
    {"callbacks": ["terminate_on_nan"]},
    {"validation": {"split": 0.5}},
    {"then": ["evaluate"]},
]
OTHER: list[dict[str, Any]] = [
    {"seed": 1},
    {"optimizer": {"kind": "sgd", "momentum": 0.5}},
    {"optimizer": {"kind": "sgd", "learning_rate": {"kind": "callable", "value": 0.01}}},
    {"training": {"kind": "train_on_batch"}},
    {"training": {"kind": "gradient_tape", "compiled": False}},
    {"data": {"kind": "linear_regression", "batch_size": 16}},
    {"data": {"kind": "linear_regression", "features": 3}},
    {"data": {"kind": "linear_regression", "source": "dataset"}},
    {"model": {"kind": "mlp", "units": [2, 1]}},
    {"loss": "mean_absolute_error"},
    {"metrics": ["mean_absolute_error"]},
    {"precision": {"policy": "float64"}},
    {"compile": {"run_eagerly": True}},
]


@pytest.mark.parametrize("tables", SAME, ids=str)
def test_values_share_a_structure(tables: dict[str, Any]) -> None:
    """Rate, budget, data, callbacks and what comes after are not compiled in."""
    assert structure_of(**tables) == structure_of()


@pytest.mark.parametrize("tables", OTHER, ids=str)
def test_structures_differ(tables: dict[str, Any]) -> None:
    """Whatever is compiled into the step, or decides its first weights."""
    assert structure_of(**tables) not in {structure_of(), None}


def test_gradients_and_initial_values_share_a_structure() -> None:
    """They are assigned or fed."""
    first, second = (
        structure_of(
            model={"kind": "variables", "shapes": [[1]], "initial": [value]},
            training={"kind": "apply_gradients", "gradients": [[value]] * int(value)},
        )
        for value in (1.0, 2.0)
    )
    assert first == second


@pytest.mark.parametrize(
    "tables",
    [
        {"training": {"kind": "legacy_global_step"}},
        {
            "training": {"kind": "while_loop", "max_steps": 1},
            "data": {"kind": "linear_regression", "source": "dataset"},
        },
        {"callbacks": [{"kind": "import", "import": "a:b"}]},
        {"optimizer": {"kind": "sgd", "learning_rate": {"kind": "import", "import": "a:b"}}},
    ],
    ids=str,
)
def test_some_pipelines_are_never_kept(tables: dict[str, Any]) -> None:
    """Hidden slots, loops that are compiled with their data, and the user's own code."""
    assert structure_of(**tables) is None


def test_imports_are_found_anywhere() -> None:
    """In lists and inside other tables."""
    assert not has_import(spec_of())
    assert has_import(spec_of(metrics=["accuracy", {"kind": "import", "import": "a:b"}]))


def acquire(sessions: Sessions, *, steps: int = 1, reuse: bool = True, **tables: Any) -> Session:
    """Return a session for tables."""
    spec = spec_of(**tables)
    with numerics(spec):
        examples = build_inputs(spec).examples
        return sessions.acquire(spec, examples, Recording(), steps=steps, reuse=reuse)


def driven(kind: str) -> dict[str, Any]:
    """Return tables that are cheap to build."""
    return {
        "model": {"kind": "variables"},
        "optimizer": kind,
        "training": {"kind": "apply_gradients", "gradients": [[1.0] * 5]},
    }


def test_a_session_is_kept_until_others_push_it_out() -> None:
    """The least recently used goes first."""
    sessions = Sessions(limit=2)
    first = acquire(sessions, **driven("sgd"))
    acquire(sessions, **driven("adam"))
    assert acquire(sessions, **driven("sgd")) is first
    acquire(sessions, **driven("adagrad"))
    assert acquire(sessions, **driven("sgd")) is first
    acquire(sessions, **driven("adam"))
    acquire(sessions, **driven("adagrad"))
    assert acquire(sessions, **driven("sgd")) is not first


def test_a_session_is_built_anew_on_request_and_when_more_rows_are_needed() -> None:
    """64 rows are enough for 64 steps, not for 65."""
    sessions = Sessions()
    first = acquire(sessions, **driven("sgd"))
    assert acquire(sessions, reuse=False, **driven("sgd")) is not first
    assert acquire(sessions, steps=64, **driven("sgd")) is first
    assert acquire(sessions, steps=65, **driven("sgd")) is not first


def test_discarded_and_cleared_sessions_are_gone() -> None:
    """An exception leaves a pipeline in a state that nobody knows."""
    sessions = Sessions()
    first = acquire(sessions, **driven("sgd"))
    sessions.discard(first)
    second = acquire(sessions, **driven("sgd"))
    assert second is not first
    sessions.clear()
    assert acquire(sessions, **driven("sgd")) is not second
