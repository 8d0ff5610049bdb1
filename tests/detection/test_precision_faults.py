"""Faults in the loss scale and in the precision of weights are found."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.invariants import NothingToJudge
from harness.oracles.arrays import Float64
from harness.trace import Trace
from tests.invariants.faults import judged, with_column, with_state
from tests.invariants.traces import apply_pipeline, apply_trace, fit_trace, pipeline

INF = float("inf")
NAN = float("nan")

Row = tuple[Float64 | None, ...]


def row(*values: float) -> Row:
    """Return the gradients of the two variables, of 2 and 3 elements."""
    return np.array(values[:2]), np.array(values[2:])


BIG = row(3.0, 4.0, 0.0, 0.0, 12.0)
"""Norms 5 and 12, in all 13."""

SMALL = row(0.25, 0.0, 0.0, 0.0, 0.25)

LIMITS = [
    {"optimizer__clipvalue": 2.0},
    {"optimizer__clipnorm": 2.0},
    {"optimizer__global_clipnorm": 2.0},
]


class TestLossScale:
    """`loss_scale_follows_automaton` and `skipped_step_changes_nothing`."""

    SPEC = apply_pipeline(
        6,
        precision__loss_scale={"initial_scale": 8.0, "dynamic_growth_steps": 2},
        optimizer__use_ema=True,
    )
    BAD = row(INF, 0, 0, 0, 0)

    def trace(self) -> Trace:
        """Return a run whose scale goes 8, 8, 16, 8, 8, 16."""
        return apply_trace(self.SPEC, [SMALL, SMALL, self.BAD, SMALL, SMALL, SMALL])

    def test_healthy(self) -> None:
        """Doubling after two finite steps and halving on a bad one pass."""
        trace = self.trace()
        assert trace.steps.loss_scale is not None
        assert trace.steps.loss_scale.tolist() == [8.0, 8.0, 16.0, 8.0, 8.0, 16.0]
        assert judged("loss_scale_follows_automaton", self.SPEC, trace) is None
        assert judged("skipped_step_changes_nothing", self.SPEC, trace) is None

    def test_grows_too_late(self) -> None:
        """A scale that has not doubled when it should is found."""
        found = judged(
            "loss_scale_follows_automaton", self.SPEC, with_column(self.trace(), "loss_scale", 2, 8)
        )
        assert found is not None
        assert found.message == "the loss scale of step 2 is 8.0"
        assert (found.got, found.expected, found.step) == ("8", "16", 2)

    def test_last_decision(self) -> None:
        """The decision of the last step shows in the final scale."""
        trace = with_state(self.trace(), "dynamic_scale", 0.0, part="final")
        found = judged("loss_scale_follows_automaton", self.SPEC, trace)
        assert found is not None
        assert found.message == "the loss scale after training is 0.0"

    def test_fixed_scale(self) -> None:
        """A fixed scale stays what it is."""
        spec = apply_pipeline(2, optimizer__loss_scale_factor=4.0)
        trace = apply_trace(spec, [SMALL, self.BAD])
        assert judged("loss_scale_follows_automaton", spec, trace) is None
        found = judged(
            "loss_scale_follows_automaton", spec, with_column(trace, "loss_scale", 1, 2.0)
        )
        assert found is not None
        assert found.expected == "4"

    def test_automatic_scale(self) -> None:
        """Under mixed_float16 Keras scales by itself, unless told not to."""
        spec = pipeline(precision__policy="mixed_float16")
        found = judged("loss_scale_follows_automaton", spec, fit_trace(pipeline()))
        assert found is not None
        assert found.expected == "32768"
        spec = pipeline(precision__policy="mixed_float16", compile__auto_scale_loss=False)
        with pytest.raises(NothingToJudge, match="must have a loss_scale"):
            judged("loss_scale_follows_automaton", spec, fit_trace(pipeline()))

    def test_foreign_optimizer(self) -> None:
        """What the user's own optimizer does to the loss is not known."""
        spec = pipeline(optimizer={"kind": "import", "import": "mine:optimizer"})
        with pytest.raises(NothingToJudge):
            judged("loss_scale_follows_automaton", spec, fit_trace(pipeline()))

    @pytest.mark.parametrize(
        "path", ["variable_0", "variable_0_momentum", "variable_1_average", "iteration"]
    )
    def test_skipped_step_moves(self, path: str) -> None:
        """A skipped step that moves anything is found."""
        found = judged(
            "skipped_step_changes_nothing", self.SPEC, with_state(self.trace(), path, 9.0, step=2)
        )
        assert found is not None
        assert found.step == 2
        assert found.where is not None
        assert found.where.startswith(path)

    def test_skipped_step_keeps_scale(self) -> None:
        """A skipped step halves the scale."""
        trace = with_state(self.trace(), "dynamic_scale", 16.0, step=2)
        found = judged("skipped_step_changes_nothing", self.SPEC, trace)
        assert found is not None
        assert found.message == "step 2 was skipped at a scale of 16.0, which became 16.0"

    def test_skipped_step_keeps_count(self) -> None:
        """A skipped step starts the count of finite steps again."""
        trace = with_state(self.trace(), "step_counter", 1.0, step=2)
        found = judged("skipped_step_changes_nothing", self.SPEC, trace)
        assert found is not None
        assert found.message == "step 2 was skipped, and 1 finite steps are still counted"

    def test_nothing_skips(self) -> None:
        """Without dynamic scaling no step is skipped."""
        spec = apply_pipeline(1)
        with pytest.raises(NothingToJudge, match="must scale the loss dynamically"):
            judged("skipped_step_changes_nothing", spec, apply_trace(spec, [SMALL]))


class TestMasters:
    """`masters_keep_their_dtype`."""

    def with_dtype(self, path: str, dtype: str, *, slots: bool = False) -> Trace:
        """Return a float64 run in which one variable has another dtype, its slots as well."""
        trace = fit_trace(pipeline())
        assert trace.state is not None
        variables = tuple(
            replace(info, dtype=dtype)
            if info.path == path or (slots and info.slot_of == path)
            else info
            for info in trace.state.variables
        )
        return replace(trace, state=replace(trace.state, variables=variables))

    @pytest.mark.parametrize(
        ("path", "role"),
        [("dense_0/kernel", "trainable"), ("dense_0_kernel_momentum", "slot")],
    )
    def test_half_precision(self, path: str, role: str) -> None:
        """A weight or a slot in half precision is found."""
        found = judged("masters_keep_their_dtype", pipeline(), self.with_dtype(path, "float16"))
        assert found is not None
        assert found.message == f"{path} ({role}) is float16"
        assert (found.got, found.expected, found.step) == ("float16", "float64", None)

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({}, None),
            ({"model__dtype": "float32"}, "float32"),
            ({"precision__policy": "mixed_bfloat16"}, "float32"),
        ],
    )
    def test_policies(self, changes: dict[str, Any], expected: str | None) -> None:
        """The policy decides, unless the model does."""
        found = judged("masters_keep_their_dtype", pipeline(**changes), fit_trace(pipeline()))
        assert (found and found.expected) == expected

    @pytest.mark.parametrize(
        ("policy", "dtype", "right"),
        [
            ("mixed_float16", "float16", False),
            ("mixed_float16", "float32", True),
            ("float32", "float16", True),
        ],
    )
    def test_own_model(self, policy: str, dtype: str, right: bool) -> None:  # noqa: FBT001
        """The user's own model may do as it likes, but for half precision under a mixed policy."""
        spec = pipeline(precision__policy=policy, model={"kind": "import", "import": "mine:model"})
        trace = self.with_dtype("dense_1/bias", dtype, slots=True)
        assert (judged("masters_keep_their_dtype", spec, trace) is None) is right

    def test_other_variables(self) -> None:
        """Integers among the weights that are not trained are nobody's business."""
        spec = pipeline(model__frozen=[0])
        trace = fit_trace(spec)
        assert trace.state is not None
        variables = tuple(
            replace(info, dtype="int32") if info.role == "non_trainable" else info
            for info in trace.state.variables
        )
        trace = replace(trace, state=replace(trace.state, variables=variables))
        assert judged("masters_keep_their_dtype", spec, trace) is None
