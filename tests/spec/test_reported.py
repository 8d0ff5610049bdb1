"""The names under which Keras reports."""

from __future__ import annotations

from typing import Any

from harness.spec.pipeline import PipelineSpec
from harness.spec.reported import reported_names


def names(metrics: list[Any], **tables: Any) -> tuple[str, ...]:
    """Those of a pipeline with these metrics."""
    return reported_names(PipelineSpec.model_validate({"metrics": metrics, **tables}))


def test_one_output() -> None:
    """Plain metrics come first, and no name stands there twice."""
    plain, weighted = "mean_squared_error", {"kind": "mean_squared_error", "weighted": True}
    assert names([weighted, plain]) == ("loss", plain, f"weighted_{plain}")
    assert names([plain, plain, plain]) == ("loss", plain, f"{plain}_1", f"{plain}_2")
    assert names([weighted, weighted]) == ("loss", plain, f"weighted_{plain}")
    assert names([weighted] * 3)[-1] == f"weighted_{plain}_1"
    own = {"kind": "import", "import": "mine:metric"}
    assert names([own, own | {"name": "own"}]) == ("loss", "", "own")


def test_several_outputs() -> None:
    """Losses and metrics are named after their outputs, which keep their order."""
    model = {"kind": "multi_output", "heads": [{"name": "zeta"}, {"name": "alpha"}]}
    metrics = ["mean_squared_error", {"kind": "mean_absolute_error", "weighted": True}]
    assert names(metrics, model=model) == (
        "loss",
        "zeta_loss",
        "alpha_loss",
        "zeta_mean_squared_error",
        "alpha_mean_squared_error",
        "zeta_mean_absolute_error",
        "alpha_mean_absolute_error",
    )


def test_outputs_without_metrics() -> None:
    """They have a loss all the same."""
    heads = [{"name": "zeta", "measured": False}, {"name": "alpha"}]
    model = {"kind": "multi_output", "heads": heads}
    assert names(["mean_squared_error"], model=model) == (
        "loss",
        "zeta_loss",
        "alpha_loss",
        "alpha_mean_squared_error",
    )
