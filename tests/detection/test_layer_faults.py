"""Layers between that compute, remember or draw something else are found."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest

from harness.invariants import NothingToJudge
from harness.spec.pipeline import PipelineSpec
from tests.invariants.faults import judged, with_column, with_state
from tests.training import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.trace import Trace

__all__ = ["run"]

MODEL: Final[dict[str, Any]] = {"kind": "mlp", "units": [4, 1], "activation": "tanh"}
TABLES: Final[dict[str, Any]] = {
    "data": {"kind": "linear_regression", "examples": 12, "features": 2, "batch_size": 4},
    "precision": {"policy": "float64"},
    "training": {"kind": "fit", "epochs": 2},
    "then": ["predict"],
}
CLOSE: Final[dict[str, Any]] = {"rtol": 1e-9, "atol": 1e-12, "because": "means in float64"}
PARTS: Final = ("state", "samples", "examples")
KNOWN: Final[tuple[dict[str, Any], ...]] = (
    {"kind": "batch_normalization", "momentum": 0.5, "epsilon": 0.125},
    {"kind": "group_normalization", "groups": 2, "scale": False},
    {"kind": "batch_normalization", "trainable": False, "center": False},
    {"kind": "layer_normalization"},
    {"kind": "dropout", "rate": 0.0},
    {"kind": "unit_normalization"},
)
NOISY: Final[tuple[dict[str, Any], ...]] = (
    {"kind": "batch_normalization"},
    {"kind": "gaussian_noise", "stddev": 0.5},
    {"kind": "layer_normalization"},
)
STATISTIC: Final = "mlp/batch_normalization_0_0/moving_variance"


def spec_of(*between: dict[str, Any], data: dict[str, Any] | None = None, **model: Any) -> Any:
    """Return the pipeline with these layers behind its hidden layer."""
    tables = TABLES | {"model": MODEL | {"between": list(between)} | model}
    return PipelineSpec.model_validate(tables | {"data": TABLES["data"] | (data or {})})


@pytest.fixture(params=[{}, {"use_bias": False, "data": {"weighted": True}}])
def healthy(
    request: pytest.FixtureRequest, run: Callable[..., Trace]
) -> tuple[PipelineSpec, Trace]:
    """Return a run through layers that oracles know."""
    spec = spec_of(*KNOWN, **request.param)
    return spec, run(*PARTS, **spec.model_dump(by_alias=True))


@pytest.fixture
def noisy(run: Callable[..., Trace]) -> tuple[PipelineSpec, Trace]:
    """Return a run through noise."""
    spec = spec_of(*NOISY)
    return spec, run(*PARTS, **spec.model_dump(by_alias=True))


class TestFormulas:
    """`layers_match_oracle`."""

    def test_every_part(self, healthy: tuple[PipelineSpec, Trace]) -> None:
        """What is right passes; a statistic, a loss and a prediction that are off are named."""
        spec, trace = healthy
        assert judged("layers_match_oracle", spec, trace, **CLOSE) is None
        found = judged("layers_match_oracle", spec, with_state(trace, STATISTIC, 9.0, step=1))
        assert found is not None
        found = judged(
            "layers_match_oracle", spec, with_state(trace, STATISTIC, 9.0, step=1), **CLOSE
        )
        assert found is not None
        assert (found.step, found.where) == (1, f"{STATISTIC}[0]")
        found = judged("layers_match_oracle", spec, with_column(trace, "loss", 2, 9.0), **CLOSE)
        assert found is not None
        assert (found.step, found.where) == (2, "loss")
        assert trace.predictions is not None
        wrong = replace(trace, predictions=np.array(trace.predictions) + 0.5)
        found = judged("layers_match_oracle", spec, wrong, **CLOSE)
        assert found is not None
        assert found.where is not None
        assert found.where.startswith("predictions")

    def test_without_predictions(self, healthy: tuple[PipelineSpec, Trace]) -> None:
        """The steps are judged all the same."""
        spec, trace = healthy
        silent = replace(trace, predictions=None)
        assert judged("layers_match_oracle", spec, silent, **CLOSE) is None

    def test_rewritten_between_epochs(self, healthy: tuple[PipelineSpec, Trace]) -> None:
        """What a callback may have restored is where an epoch begins."""
        spec, trace = healthy
        tables = spec.model_dump(by_alias=True) | {"callbacks": [{"kind": "backup_and_restore"}]}
        wrong = with_column(trace, "loss", 3, 9.0)
        assert judged("layers_match_oracle", PipelineSpec(**tables), wrong, **CLOSE) is None

    def test_behind_noise(self, noisy: tuple[PipelineSpec, Trace]) -> None:
        """Losses are left out, what is in front of the noise is not."""
        spec, trace = noisy
        assert judged("layers_match_oracle", spec, trace, **CLOSE) is None
        assert (
            judged("layers_match_oracle", spec, with_column(trace, "loss", 2, 9.0), **CLOSE) is None
        )
        wrong = with_state(trace, STATISTIC, 9.0, step=1)
        assert judged("layers_match_oracle", spec, wrong, **CLOSE) is not None

    def test_everything_dropped(self, run: Callable[..., Trace]) -> None:
        """What is left is the bias, in training only."""
        spec = spec_of({"kind": "dropout", "rate": 1.0})
        trace = run(*PARTS, **spec.model_dump(by_alias=True))
        assert judged("layers_match_oracle", spec, trace, **CLOSE) is None
        wrong = with_column(trace, "loss", 2, 9.0)
        assert judged("layers_match_oracle", spec, wrong, **CLOSE) is not None

    @pytest.mark.parametrize("model", [{"dropout": 0.5}, {"kernel_l2": 0.5}, {"activity_l2": 0.5}])
    def test_nothing_to_judge(
        self, healthy: tuple[PipelineSpec, Trace], model: dict[str, Any]
    ) -> None:
        """Other models, and unknown examples."""
        spec, trace = healthy
        for other in (spec_of(), spec_of(*KNOWN, **model)):
            with pytest.raises(NothingToJudge, match="must be an mlp with layers between"):
                judged("layers_match_oracle", other, trace)
        samples = ((-1,),) * len(trace.steps)
        unknown = replace(trace, steps=replace(trace.steps, sample_ids=samples))
        with pytest.raises(NothingToJudge, match="must be identified"):
            judged("layers_match_oracle", spec, unknown)


class TestNoise:
    """`noise_never_repeats`."""

    def test_generators(self, noisy: tuple[PipelineSpec, Trace]) -> None:
        """A generator that stands still, or goes back, is named."""
        spec, trace = noisy
        assert judged("noise_never_repeats", spec, trace) is None
        assert trace.state is not None
        (path,) = trace.state.paths("seed")
        first = float(np.ravel(trace.state.initial_of(path))[1])
        wrong = with_state(trace, path, first, step=1, element=1)
        found = judged("noise_never_repeats", spec, wrong)
        assert found is not None
        assert (found.step, found.where) == (1, path)
        assert "as it was before" in found.message

    def test_generators_of_an_embedding(self, noisy: tuple[PipelineSpec, Trace]) -> None:
        """The layers behind its table have one each."""
        _, trace = noisy
        table = {"kind": "embedding", "between": ["dropout", {"kind": "dropout", "rate": 0.0}]}
        texts = PipelineSpec.model_validate(
            {"data": {"kind": "tokens"}, "model": table, "loss": "binary_crossentropy"}
        )
        assert judged("noise_never_repeats", texts, trace) is None

    def test_nothing_to_judge(self, noisy: tuple[PipelineSpec, Trace]) -> None:
        """Models that draw nothing, and such whose generators are others."""
        _, trace = noisy
        lstm = PipelineSpec.model_validate(
            {"data": {"kind": "sequences"}, "model": {"kind": "lstm"}}
        )
        for other in (spec_of(*KNOWN), spec_of(*NOISY, dropout=0.5), lstm):
            with pytest.raises(NothingToJudge, match="layers that add noise"):
                judged("noise_never_repeats", other, trace)
