"""Drawn predictions through the real loss and metric objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from harness.pipeline.predictions import draw_predictions
from harness.spec.data import PredictionsSpec
from harness.spec.pipeline import PipelineSpec
from harness.trace import StopReason
from tests.training import run, user_module  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.trace import Trace

BASE: dict[str, Any] = {
    "data": {"kind": "predictions", "examples": 7, "batch_size": 3},
    "precision": {"policy": "float64"},
    "training": {"kind": "update_metrics"},
    "metrics": ["mean_squared_error", {"kind": "precision", "thresholds": [0.0, 0.5]}],
}

Run = "Callable[..., Trace]"


def test_batch_by_batch(run: Callable[..., Trace]) -> None:  # noqa: F811
    """A row a batch with loss and slope, and the metrics of each epoch."""
    trace = run("gradients", "examples", **BASE)
    assert trace.stop.reason == StopReason.COMPLETED
    assert trace.examples is not None
    error = trace.examples.inputs - trace.examples.targets
    assert trace.steps.column("batch_size").tolist() == [3, 3, 1, 3, 3, 1]
    losses = [float(np.mean(error[rows] ** 2)) for rows in (slice(3), slice(3, 6), slice(6, 7))]
    np.testing.assert_allclose(trace.steps.column("loss"), losses * 2, rtol=1e-14)
    assert trace.gradients is not None
    slope = trace.gradients.raw_of("predictions")
    np.testing.assert_allclose(slope[2][0], 2 * error[6] / 3)
    assert np.isnan(slope[2][1:]).all()
    for record in trace.epochs:
        assert record.logs["mean_squared_error"] == pytest.approx(float(np.mean(error**2)))
        assert set(record.logs) == {"mean_squared_error", "precision[0]", "precision[1]"}


@pytest.mark.parametrize("via", ["evaluate", "reloaded"])
def test_through_a_model(run: Callable[..., Trace], via: str) -> None:  # noqa: F811
    """`evaluate` of a model that returns its input gives the loss and the metrics."""
    tables = BASE | {
        "training": {"kind": "update_metrics", "via": via, "epochs": 1},
        "compile": {"run_eagerly": True},
        "metrics": ["mean_squared_error"],
    }
    trace = run("examples", **tables)
    assert trace.examples is not None
    error = float(np.mean((trace.examples.inputs - trace.examples.targets) ** 2))
    assert dict(trace.epochs[0].logs) == pytest.approx({"loss": error, "mean_squared_error": error})
    assert len(trace.steps) == 0


def test_graph(run: Callable[..., Trace]) -> None:  # noqa: F811
    """The same in a graph, and without a loss there is no slope."""
    tables = BASE | {"training": {"kind": "update_metrics", "compiled": True, "epochs": 1}}
    eager, graph = run(**BASE), run(**tables)
    assert graph.steps.column("loss").tolist() == pytest.approx(
        eager.steps.column("loss").tolist()[:3]
    )
    tables = BASE | {"training": {"kind": "update_metrics", "loss": False}}
    without = run("gradients", **tables)
    assert without.gradients is None
    assert np.isnan(without.steps.column("loss")).all()


def test_failure_is_the_stop(run: Callable[..., Trace]) -> None:  # noqa: F811
    """What Keras raises is why it ended."""
    tables = BASE | {"loss": {"kind": "categorical_generalized_cross_entropy", "built_by": "name"}}
    assert run(**tables).stop.reason == StopReason.ERROR


def test_own_function(
    run: Callable[..., Trace],  # noqa: F811
    user_module: Callable[[str], str],  # noqa: F811
) -> None:
    """A function of two arrays has no weights and no reduction of its own."""
    module = user_module("def own(y_true, y_pred):\n    return 2.0 * y_pred\n")
    tables = BASE | {"loss": {"kind": "import", "import": f"{module}:own"}, "metrics": []}
    trace = run("examples", **tables)
    assert trace.examples is not None
    assert trace.steps.column("loss")[0] == pytest.approx(2 * trace.examples.inputs[:3].sum())


@pytest.mark.parametrize("built_by", ["class", "config", "serialized"])
@pytest.mark.parametrize("kind", ["f1_score", "iou"])
def test_ways_to_build(run: Callable[..., Trace], built_by: str, kind: str) -> None:  # noqa: F811
    """A metric made from its config says the same."""
    own = {"num_classes": 3, "target_class_ids": [1]} if kind == "iou" else {"average": "none"}
    form = "integer" if kind == "iou" else "one_hot"
    guess = "integer" if kind == "iou" else "simplex"
    tables = BASE | {
        "data": BASE["data"] | {"targets": form, "predictions": guess},
        "training": {"kind": "update_metrics", "loss": False},
        "metrics": [{"kind": kind, "built_by": built_by, **own}],
    }
    assert run(**tables).stop.reason == StopReason.COMPLETED


@pytest.mark.parametrize("targets", ["real", "positive", "binary", "signs", "one_hot", "soft"])
@pytest.mark.parametrize("predictions", ["real", "positive", "unit", "simplex", "logits"])
def test_families(targets: str, predictions: str) -> None:
    """Every family keeps its promise, with edges and on a grid."""
    spec = PipelineSpec.model_validate(
        {
            "data": {
                "kind": "predictions",
                "shape": [2, 4],
                "targets": targets,
                "predictions": predictions,
                "edges": True,
                "grid": 0.25,
                "weights": "element",
                "integral_weights": True,
                "class_axis": 1,
            }
        }
    ).data
    assert isinstance(spec, PredictionsSpec)
    guess, truth, weights = draw_predictions(spec)
    assert guess.shape == truth.shape == (20, 4, 2)
    assert weights is not None
    assert weights.shape == (20, 2)
    assert (weights == 0).any()
    assert (weights == np.round(weights)).all()
    bounds = {"unit": (0, 1), "simplex": (0, 1), "positive": (0, 4)}.get(predictions)
    if bounds and (predictions != "positive" or targets == "positive"):
        assert guess.min() >= bounds[0]
        assert guess.max() <= bounds[1]
    if predictions == "logits":
        assert np.abs(guess).max() == 60.0
    if targets == "one_hot":
        assert (truth.sum(axis=1) == 1).all()


def drawn(**data: Any) -> tuple[Any, Any]:
    """Predictions and targets of four classes."""
    spec = PipelineSpec.model_validate(
        {"data": {"kind": "predictions", "examples": 200, "shape": [4], **data}}
    ).data
    assert isinstance(spec, PredictionsSpec)
    guess, truth, _ = draw_predictions(spec)
    return guess, truth


@pytest.mark.parametrize("targets", ["integer", "column", "one_hot", "soft"])
@pytest.mark.parametrize("predictions", ["simplex", "logits", "integer"])
def test_agreement(targets: str, predictions: str) -> None:
    """So many places agree, and all others miss by one class."""
    guess, truth = drawn(targets=targets, predictions=predictions, agreement=0.75)
    likeliest = guess if predictions == "integer" else guess.argmax(-1)
    true = {"integer": truth, "column": truth.ravel()}.get(targets)
    true = truth.argmax(-1) if true is None else true
    gap = (likeliest - true) % 4
    assert set(gap) == {0, 1}
    assert 0.6 < np.mean(gap == 0) < 0.9
    if predictions == "simplex":
        np.testing.assert_allclose(guess.sum(-1), 1.0)


@pytest.mark.parametrize("targets", ["integer", "column"])
def test_void(targets: str) -> None:
    """About a quarter of the labels are void, and only there nothing is predicted."""
    data = {"targets": targets, "predictions": "logits", "void_label": -1}
    guess, truth = drawn(**data, nan_at_void=True)
    void = truth.ravel() == -1
    assert 0.15 < void.mean() < 0.35
    np.testing.assert_array_equal(np.isnan(guess), np.repeat(void[:, None], 4, axis=1))
    assert not np.isnan(drawn(**data)[0]).any()


@pytest.mark.parametrize("scale", [1.0, 1000.0])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision(run: Callable[..., Trace], dtype: str, scale: float) -> None:  # noqa: F811
    """What is recorded are the numbers that are handed over: those of TensorFlow's own cast."""
    ml_dtypes = pytest.importorskip("ml_dtypes")
    exact, half = drawn(scale=scale)[0], drawn(scale=scale, dtype=dtype)[0]
    kind = np.float16 if dtype == "float16" else ml_dtypes.bfloat16
    np.testing.assert_array_equal(half, exact.astype(kind).astype(np.float64))
    for via in ("objects", "evaluate"):
        tables = BASE | {
            "data": BASE["data"] | {"dtype": dtype},
            "precision": {"policy": "float32"},
            "training": {"kind": "update_metrics", "via": via},
            "compile": {"run_eagerly": True},
            "metrics": ["root_mean_squared_error"],
        }
        trace = run("examples", **tables)
        assert trace.examples is not None
        error = trace.examples.inputs.astype(np.float64) - trace.examples.targets
        expected = float(np.sqrt(np.mean(error**2)))
        assert trace.epochs[0].logs["root_mean_squared_error"] == pytest.approx(expected, rel=1e-6)
