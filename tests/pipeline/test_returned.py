"""What Keras returns, by name."""

from __future__ import annotations

from typing import Any

import pytest

from harness.pipeline.returned import by_name, return_dict
from harness.spec.pipeline import PipelineSpec

METRICS = [
    {"kind": "mean_absolute_error", "weighted": True},
    "mean_absolute_error",
    "mean_squared_error",
    {"kind": "mean_squared_error", "name": "own"},
]


def spec(returns: str = "list", **tables: Any) -> PipelineSpec:
    """A pipeline whose results come as they are asked for."""
    return PipelineSpec.model_validate({"compile": {"returns": returns}, **tables})


def test_dictionary() -> None:
    """Keras' own names are kept."""
    assert return_dict(spec("dict"))
    assert by_name({"any": 1.0}, spec("dict")) == {"any": 1.0}


def test_list() -> None:
    """The order is that of `compile`: what is weighted comes last."""
    given = spec(metrics=METRICS)
    assert not return_dict(given)
    assert by_name([0.0, 1.0, 2.0, 3.0, 4.0], given) == {
        "loss": 0.0,
        "mean_absolute_error": 1.0,
        "mean_squared_error": 2.0,
        "own": 3.0,
        "weighted_mean_absolute_error": 4.0,
    }


def test_lone_value() -> None:
    """Without metrics the loss comes alone."""
    assert by_name(0.5, spec()) == {"loss": 0.5}
    assert by_name([0.5], spec()) == {"value 0 of a list": 0.5}


@pytest.mark.parametrize("count", [1, 3])
def test_wrong_length(count: int) -> None:
    """What is missing has no name, and what is too much another."""
    found = by_name([float(place) for place in range(count)], spec(metrics=["mean_squared_error"]))
    expected = {"loss": 0.0, "mean_squared_error": 1.0, "value 2": 2.0}
    assert found == dict(list(expected.items())[:count])
