"""Normalisation that remembers something else than its batches is found."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from harness.invariants import NothingToJudge
from harness.spec.pipeline import PipelineSpec
from tests.invariants.faults import judged, with_state
from tests.training import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.trace import Trace

__all__ = ["run"]

TABLES: Final[dict[str, Any]] = {
    "data": {"kind": "linear_regression", "examples": 12, "features": 2, "batch_size": 4},
    "model": {"kind": "mlp", "units": [3, 2, 1], "activation": "tanh", "batch_norm": True},
    "precision": {"policy": "float64"},
    "training": {"kind": "fit", "epochs": 2},
    "then": ["evaluate", "predict"],
}
CLOSE: Final[dict[str, Any]] = {"rtol": 1e-9, "atol": 1e-12, "because": "means in float64"}
SECOND: Final = "mlp/batch_norm_1/moving_variance"


def spec_of(**model: Any) -> PipelineSpec:
    """Return the pipeline with a changed model."""
    return PipelineSpec.model_validate(TABLES | {"model": TABLES["model"] | model})


@pytest.fixture(params=[{}, {"use_bias": False}])
def healthy(
    request: pytest.FixtureRequest, run: Callable[..., Trace]
) -> tuple[PipelineSpec, Trace]:
    """Return a run with two normalisations."""
    spec = spec_of(**request.param)
    return spec, run("state", "samples", "examples", **spec.model_dump(by_alias=True))


class TestStatistics:
    """`batch_statistics_are_averages`."""

    def test_remembered(self, healthy: tuple[PipelineSpec, Trace]) -> None:
        """Both layers are right at each step; one that is off is named."""
        spec, trace = healthy
        assert judged("batch_statistics_are_averages", spec, trace, **CLOSE) is None
        wrong = with_state(trace, SECOND, 0.5, step=1)
        found = judged("batch_statistics_are_averages", spec, wrong, **CLOSE)
        assert found is not None
        assert (found.step, found.where) == (1, f"{SECOND}[0]")
        assert found.message.startswith(f"step 1 (epoch 0): {SECOND}[0] is 0.5, expected 0.9")

    def test_rewritten_between_epochs(self, healthy: tuple[PipelineSpec, Trace]) -> None:
        """What a callback may have restored is where an epoch begins."""
        _, trace = healthy
        spec = PipelineSpec.model_validate(
            healthy[0].model_dump(by_alias=True) | {"callbacks": [{"kind": "backup_and_restore"}]}
        )
        wrong = with_state(trace, SECOND, 0.5, step=3)
        found = judged("batch_statistics_are_averages", spec, wrong, **CLOSE)
        assert found is not None
        assert found.step == 4

    def test_after_a_dropout(self, healthy: tuple[PipelineSpec, Trace]) -> None:
        """Only the first normalisation gets what is known."""
        spec, trace = healthy
        dropping = spec.model_copy(update={"model": spec.model.model_copy(update={"dropout": 0.5})})
        wrong = with_state(trace, SECOND, 0.5, step=1)
        assert judged("batch_statistics_are_averages", dropping, wrong, **CLOSE) is None
        first = with_state(trace, "mlp/batch_norm_0/moving_mean", 0.5, step=1)
        assert judged("batch_statistics_are_averages", dropping, first, **CLOSE) is not None

    def test_nothing_to_judge(self, healthy: tuple[PipelineSpec, Trace]) -> None:
        """Models without normalisation, unknown examples and variables of other layers."""
        spec, trace = healthy
        with pytest.raises(NothingToJudge, match="must be an mlp with batch_norm"):
            judged("batch_statistics_are_averages", spec_of(batch_norm=False), trace)
        samples = ((-1,),) * len(trace.steps)
        unknown = replace(trace, steps=replace(trace.steps, sample_ids=samples))
        with pytest.raises(NothingToJudge, match="must be identified"):
            judged("batch_statistics_are_averages", spec, unknown)
        model = spec.model.model_copy(update={"units": (3, 2, 1, 1)})
        deeper = spec.model_copy(update={"model": model})
        with pytest.raises(NothingToJudge, match="must have one variable batch_norm_2/gamma"):
            judged("batch_statistics_are_averages", deeper, trace, **CLOSE)


class TestPrediction:
    """`evaluate_matches_oracle` with a normalisation."""

    def test_moving_statistics(self, healthy: tuple[PipelineSpec, Trace]) -> None:
        """Predictions are made with what was remembered, not with the batch at hand."""
        spec, trace = healthy
        assert judged("evaluate_matches_oracle", spec, trace, **CLOSE) is None
        wrong = with_state(trace, SECOND, 0.5, part="final")
        found = judged("evaluate_matches_oracle", spec, wrong, **CLOSE)
        assert found is not None
        assert found.where == "evaluation.loss"

    def test_frozen(self, healthy: tuple[PipelineSpec, Trace]) -> None:
        """What trains otherwise than it predicts can't be judged from its first weights."""
        _, trace = healthy
        spec = spec_of().model_copy(
            update={"optimizer": spec_of().optimizer.model_copy(update={"learning_rate": 0.0})}
        )
        with pytest.raises(NothingToJudge, match="must train as it predicts"):
            judged("frozen_logs_match_oracle", spec, trace)
