"""What `model.compile` gets for one output and for several, in order and by name."""

from __future__ import annotations

from typing import Any

import keras
import pytest

from harness.pipeline.compiling import compile_arguments, other_arguments
from harness.spec.pipeline import PipelineSpec

HEADS = [{"name": "zeta", "loss": "mean_absolute_error"}, {"name": "alpha"}]


def given(**tables: Any) -> dict[str, Any]:
    """Return the arguments, losses and metrics by the names of their classes."""
    spec = PipelineSpec.model_validate(tables)
    return {name: _plain(value) for name, value in compile_arguments(spec).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value if isinstance(value, float) or value is None else type(value).__name__


def test_a_single_output_has_its_own_alone() -> None:
    """No list around the loss, and None where there are no metrics."""
    assert given(metrics=["mean_absolute_error"]) == {
        "loss": "MeanSquaredError",
        "loss_weights": None,
        "metrics": ["MeanAbsoluteError"],
        "weighted_metrics": None,
    }


@pytest.mark.parametrize("by_name", [False, True], ids=["in order", "by name"])
def test_several_outputs_have_one_each(*, by_name: bool) -> None:
    """An output without a loss of its own has that of the pipeline."""
    found = given(
        model={"kind": "multi_output", "heads": HEADS},
        metrics=[{"kind": "mean_absolute_error", "weighted": True}],
        compile={"loss_weights": [0.5, 2.0], "by_name": by_name},
    )
    lists: dict[str, list[Any]] = {
        "loss": ["MeanAbsoluteError", "MeanSquaredError"],
        "loss_weights": [0.5, 2.0],
        "weighted_metrics": [["MeanAbsoluteError"], ["MeanAbsoluteError"]],
    }
    names = ["zeta", "alpha"]
    expected = {k: dict(zip(names, v, strict=True)) if by_name else v for k, v in lists.items()}
    assert found == {**expected, "metrics": None}


def test_an_output_that_is_not_measured_has_no_metrics() -> None:
    """Its place in the list is there, its name is not."""
    heads = [{**HEADS[0], "measured": False}, HEADS[1]]
    tables: dict[str, Any] = {
        "model": {"kind": "multi_output", "heads": heads},
        "metrics": ["mean_absolute_error"],
    }
    assert given(**tables)["metrics"] == [None, ["MeanAbsoluteError"]]
    assert given(**tables)["weighted_metrics"] is None
    named = given(**tables, compile={"by_name": True})
    assert named["metrics"] == {"alpha": ["MeanAbsoluteError"]}
    assert named["weighted_metrics"] is None


def test_an_output_that_is_not_trained_has_no_loss() -> None:
    """Its place in the list, or its name, is there."""
    heads = [HEADS[0], {**HEADS[1], "trained": False}]
    tables = {"model": {"kind": "multi_output", "heads": heads}}
    assert given(**tables)["loss"] == ["MeanAbsoluteError", None]
    named = given(**tables, compile={"by_name": True})["loss"]
    assert named == {"zeta": "MeanAbsoluteError", "alpha": None}


@pytest.mark.parametrize("model", ["mlp", "multi_output"])
def test_what_was_compiled_before_is_something_else(model: str) -> None:
    """Keras takes it, and it shares nothing with the default."""
    inputs = keras.Input((2,))
    outputs = [keras.layers.Dense(1)(inputs) for _ in range(2 if model == "multi_output" else 1)]
    arguments = other_arguments(PipelineSpec.model_validate({"model": {"kind": model}}))
    keras.Model(inputs, outputs).compile(**arguments)
    assert arguments["optimizer"] == "adadelta"
