"""Faults in the range of weights and of the loss scale are found."""

from typing import Any

import numpy as np
import pytest

from harness.invariants import NothingToJudge
from harness.spec.constraints import MaxNormSpec, MinMaxNormSpec, UnitNormSpec
from harness.spec.expectation import MatchesOracleSpec
from harness.spec.model import MLPSpec
from harness.trace import Trace
from tests.invariants.configurations import SCALED, violation
from tests.invariants.faults import judged, with_state
from tests.invariants.traces import apply_pipeline, apply_trace, fit_trace, pipeline

ROW = (np.array([0.5, 0.25]), np.array([0.0, 0.0, 0.5]))
"""From ones at a rate of 0.125 nothing becomes negative in a few steps."""


def bound(steps: int, **changes: Any) -> tuple[Any, Trace]:
    """Return a pipeline with non-negative variables and the trace of a healthy run of it."""
    return with_constraint("non_neg", steps=steps, **changes)


def with_constraint(constraint: Any, *, steps: int, **changes: Any) -> tuple[Any, Trace]:
    """Return a pipeline with a constraint and the trace of a run without one."""
    spec = apply_pipeline(steps, **changes)
    model = spec.model.model_copy(update={"constraint": constraint})
    return spec.model_copy(update={"model": model}), apply_trace(spec, [ROW] * steps)


class TestConstraints:
    """`constraints_hold`."""

    def test_healthy(self) -> None:
        """Weights that keep their constraint pass."""
        assert judged("constraints_hold", *bound(3)) is None

    @pytest.mark.parametrize("value", [-0.25, float("nan")])
    def test_broken_in_a_step(self, value: float) -> None:
        """The first step after which a weight breaks its constraint is named."""
        spec, trace = bound(3)
        found = judged("constraints_hold", spec, with_state(trace, "variable_1", value, step=1))
        assert found is not None
        beyond = abs(value)
        assert (
            found.message == f"variable_1 breaks its constraint non_neg by {beyond!r} after step 1"
        )
        assert found.step == 1

    def test_broken_at_the_end(self) -> None:
        """What is done to the weights after the last step must keep the constraint too."""
        spec, trace = bound(3)
        found = judged(
            "constraints_hold", spec, with_state(trace, "variable_0", -2.0, part="final")
        )
        assert found is not None
        message = "variable_0 breaks its constraint non_neg by 2.0 after training"
        assert found.message == message

    def test_within_the_tolerance(self) -> None:
        """A projection may miss by its own epsilon."""
        spec, trace = bound(3)
        trace = with_state(trace, "variable_0", -1e-9, part="final")
        assert judged("constraints_hold", spec, trace, atol=1e-8) is None

    def test_free_before_its_first_update(self) -> None:
        """Neither initial values nor an open window are bound."""
        spec, trace = bound(3, optimizer__gradient_accumulation_steps=2)
        for step in (0, 1):
            broken = with_state(trace, "variable_0", -2.0, step=step)
            found = judged("constraints_hold", spec, broken)
            assert (found is None) == (step == 0)

    def test_free_without_gradient(self) -> None:
        """A variable that never had a gradient was never projected."""
        spec = apply_pipeline(2)
        model = spec.model.model_copy(update={"constraint": "non_neg"})
        trace = apply_trace(spec, [(None, ROW[1])] * 2)
        trace = with_state(trace, "variable_0", -2.0, part="final")
        spec = spec.model_copy(update={"model": model})
        assert judged("constraints_hold", spec, trace) is None

    def test_kernels(self) -> None:
        """Of a dense model only the kernels are constrained."""
        spec = pipeline()
        assert isinstance(spec.model, MLPSpec)
        trace = fit_trace(spec)
        model = spec.model.model_copy(update={"kernel_constraint": "max_norm"})
        spec = spec.model_copy(update={"model": model})
        trace = with_state(trace, "dense_0/bias", 50.0, step=2)
        trace = with_state(trace, "dense_0/kernel", 50.0, step=3)
        found = judged("constraints_hold", spec, trace, atol=10.0)
        assert found is not None
        assert found.where == "dense_0/kernel"
        assert found.step == 3

    @pytest.mark.parametrize("tables", [{}, {"model": {"kind": "lstm"}}])
    def test_none(self, tables: dict[str, Any]) -> None:
        """Without a constraint there is nothing to judge."""
        trace = fit_trace(pipeline())
        spec = pipeline()
        if tables:
            spec = spec.model_validate({**tables, "data": {"kind": "sequences"}})
        with pytest.raises(NothingToJudge, match="model must have a constraint"):
            judged("constraints_hold", spec, trace)

    def test_not_at_once(self) -> None:
        """A constraint that weights only move towards is not kept by them."""
        spec, trace = with_constraint(MinMaxNormSpec(rate=0.5), steps=1)
        with pytest.raises(NothingToJudge, match="kept at once"):
            judged("constraints_hold", spec, trace)


class TestProjection:
    """`matches_oracle` of constrained variables."""

    def test_kept_anyway(self) -> None:
        """A constraint that weights keep by themselves moves none."""
        assert violation(MatchesOracleSpec(), *bound(3)) is None

    def test_elsewhere(self) -> None:
        """A weight that keeps its constraint at another place than its projection is found."""
        found = violation(MatchesOracleSpec(), *with_constraint(UnitNormSpec(axis=(0,)), steps=2))
        assert found is not None
        assert (found.where, found.step) == ("variable_0[0]", 0)

    def test_kernels_only(self) -> None:
        """Biases of a dense model stay where the step has put them."""
        spec = pipeline()
        trace = fit_trace(spec)
        model = spec.model.model_copy(update={"kernel_constraint": MaxNormSpec(max_value=0.125)})
        found = violation(MatchesOracleSpec(), spec.model_copy(update={"model": model}), trace)
        assert found is not None
        assert found.where == "dense_0/kernel[0, 0]"


class TestRangeOfTheScale:
    """`loss_scale_stays_in_range`."""

    def test_healthy(self) -> None:
        """A scale that doubles and halves passes."""
        spec = apply_pipeline(4, precision__loss_scale=SCALED)
        assert judged("loss_scale_stays_in_range", spec, apply_trace(spec, [ROW] * 4)) is None

    @pytest.mark.parametrize("value", [0.0, float("inf"), float("nan"), -1.0])
    def test_left(self, value: float) -> None:
        """A scale that is no positive, finite number is found, at the step that meets it."""
        spec = apply_pipeline(4, precision__loss_scale=SCALED)
        trace = apply_trace(spec, [ROW] * 4)
        found = judged(
            "loss_scale_stays_in_range",
            spec,
            with_state(trace, "dynamic_scale", value, step=2, part="before"),
        )
        assert found is not None
        assert found.message == f"the loss scale before step 2 is {value!r}"
        found = judged(
            "loss_scale_stays_in_range",
            spec,
            with_state(trace, "dynamic_scale", value, part="final"),
        )
        assert found is not None
        assert found.message == f"the loss scale after training is {value!r}"

    def test_none(self) -> None:
        """Without a dynamic scale there is nothing to judge."""
        spec = apply_pipeline(1)
        with pytest.raises(NothingToJudge, match="precision must scale the loss dynamically"):
            judged("loss_scale_stays_in_range", spec, apply_trace(spec, [ROW]))
