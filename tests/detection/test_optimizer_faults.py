"""Faults in clipping, accumulation and the learning rate are found."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.invariants import NothingToJudge
from harness.oracles.arrays import Float64
from harness.trace import Trace
from tests.invariants.faults import judged, with_column, with_epoch, with_gradient, with_state
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


class TestClipping:
    """`clipping_respects_limit` and `clipping_matches_oracle`."""

    @pytest.mark.parametrize("limit", LIMITS)
    @pytest.mark.parametrize("steps", [None, 2])
    def test_healthy(self, limit: dict[str, Any], steps: int | None) -> None:
        """Clipped means pass, with None, zero, NaN and infinite gradients among them."""
        spec = apply_pipeline(10, optimizer__gradient_accumulation_steps=steps, **limit)
        rows = [
            BIG,
            BIG,
            SMALL,
            SMALL,
            row(0, 0, 0, 0, 0),
            (None, BIG[1]),
            (None, BIG[1]),
            (None, BIG[1]),
            row(NAN, 1, 1, 1, 1),
            row(1, INF, 1, 1, 1),
        ]
        trace = apply_trace(spec, rows)
        assert judged("clipping_respects_limit", spec, trace, rtol=1e-15) is None
        assert judged("clipping_matches_oracle", spec, trace, rtol=1e-15) is None

    @pytest.mark.parametrize(
        ("limit", "where"),
        [
            (LIMITS[0], "variable_0"),
            (LIMITS[1], "variable_0"),
            (LIMITS[2], "all variables"),
        ],
    )
    def test_not_clipped(self, limit: dict[str, Any], where: str) -> None:
        """A gradient above its limit is found."""
        spec = apply_pipeline(2, **limit)
        trace = apply_trace(spec, [SMALL, BIG])
        assert trace.gradients is not None
        trace = replace(trace, gradients=replace(trace.gradients, clipped=trace.gradients.raw))
        found = judged("clipping_respects_limit", spec, trace)
        assert found is not None
        largest = {"variable_0": 4.0 if "optimizer__clipvalue" in limit else 5.0}.get(where, 13.0)
        message = f"the clipped gradient of {where} in step 1 is {largest}, the limit is 2.0"
        assert found.message == message
        assert found.expected == "at most 2.0"

    @pytest.mark.parametrize("limit", LIMITS)
    def test_touched_below_the_limit(self, limit: dict[str, Any]) -> None:
        """Below the limit nothing changes."""
        spec = apply_pipeline(1, **limit)
        trace = with_gradient(apply_trace(spec, [SMALL]), 0.125, step=0, part="clipped")
        for name in ("clipping_respects_limit", "clipping_matches_oracle"):
            assert judged(name, spec, trace) is not None

    @pytest.mark.parametrize("limit", LIMITS[1:])
    def test_direction_changed(self, limit: dict[str, Any]) -> None:
        """A gradient of the right norm in another direction is found."""
        spec = apply_pipeline(1, **limit)
        trace = apply_trace(spec, [BIG])
        assert trace.gradients is not None
        clipped = np.array(trace.gradients.clipped)
        clipped[0, :2] = clipped[0, 1::-1]
        trace = replace(trace, gradients=replace(trace.gradients, clipped=clipped))
        found = judged("clipping_respects_limit", spec, trace, rtol=1e-15)
        assert found is not None
        assert found.where == "variable_0[0]"

    def test_sign_changed(self) -> None:
        """An element cut to the wrong side is found."""
        spec = apply_pipeline(1, optimizer__clipvalue=2.0)
        trace = with_gradient(apply_trace(spec, [BIG]), -2.0, step=0, part="clipped")
        found = judged("clipping_respects_limit", spec, trace)
        assert found is not None
        assert (found.got, found.expected) == ("-2", "2")

    @pytest.mark.parametrize("limit", LIMITS)
    def test_nan_where_none_was(self, limit: dict[str, Any]) -> None:
        """Clipping makes no NaN of numbers."""
        spec = apply_pipeline(1, **limit)
        trace = with_gradient(apply_trace(spec, [BIG]), NAN, step=0, part="clipped")
        found = judged("clipping_respects_limit", spec, trace)
        assert found is not None
        assert found.got == "nan"

    def test_last_micro_gradient_clipped(self) -> None:
        """What is clipped is the mean of the window, not its last gradient."""
        spec = apply_pipeline(2, optimizer__clipnorm=2.0, optimizer__gradient_accumulation_steps=2)
        trace = apply_trace(spec, [BIG, SMALL])
        for element, value in enumerate(
            np.concatenate([np.ravel(part) for part in SMALL if part is not None])
        ):
            trace = with_gradient(trace, float(value), step=1, element=element, part="clipped")
        found = judged("clipping_matches_oracle", spec, trace, rtol=1e-15)
        assert found is not None
        assert (found.step, found.where) == (1, "variable_0[0]")

    def test_open_window_is_left_out(self) -> None:
        """A window that was open when training began has an unknown mean."""
        spec = apply_pipeline(2, optimizer__clipnorm=2.0, optimizer__gradient_accumulation_steps=2)
        trace = apply_trace(spec, [BIG, SMALL])
        trace = with_state(trace, "iteration", 1.0, part="before")
        trace = with_state(trace, "iteration", 2.0, part="before", step=1)
        assert judged("clipping_matches_oracle", spec, trace) is None

    def test_skipped_steps_are_in_no_window(self) -> None:
        """A step that loss scaling skips adds nothing to the mean."""
        spec = apply_pipeline(
            3,
            optimizer__clipnorm=2.0,
            optimizer__gradient_accumulation_steps=2,
            precision__loss_scale={"initial_scale": 8.0},
        )
        trace = apply_trace(spec, [BIG, row(INF, 0, 0, 0, 0), SMALL])
        assert judged("clipping_matches_oracle", spec, trace) is None
        wrong = with_gradient(trace, 9.0, step=0)
        found = judged("clipping_matches_oracle", spec, wrong)
        assert found is not None
        assert found.step == 2

    def test_no_clipping(self) -> None:
        """An optimizer that clips nothing, or is not known, can't be judged."""
        spec = apply_pipeline(1)
        with pytest.raises(
            NothingToJudge, match="must have clipvalue, clipnorm or global_clipnorm"
        ):
            judged("clipping_respects_limit", spec, apply_trace(spec, [BIG]))
        spec = pipeline(optimizer={"kind": "import", "import": "mine:optimizer"})
        with pytest.raises(NothingToJudge, match="must be a built-in one"):
            judged("clipping_matches_oracle", spec, fit_trace(pipeline()))


class TestAccumulation:
    """`accumulation_keeps_weights_constant`."""

    SPEC = pipeline(
        training__epochs=3,
        optimizer__gradient_accumulation_steps=2,
        optimizer__use_ema=True,
        precision__loss_scale={"initial_scale": 8.0},
    )

    def trace(self) -> Trace:
        """Return nine steps, of which 2 is skipped: windows end at 1, 4, 6 and 8."""
        return fit_trace(self.SPEC, spoiled={2: NAN})

    def test_healthy(self) -> None:
        """Windows that run over epoch borders and skipped steps pass."""
        assert judged("accumulation_keeps_weights_constant", self.SPEC, self.trace()) is None

    @pytest.mark.parametrize(
        "path", ["dense_0/kernel", "dense_1_bias_average", "dense_0_kernel_momentum"]
    )
    @pytest.mark.parametrize("step", [0, 2, 3])
    def test_moves_inside(self, path: str, step: int) -> None:
        """Weights, averages and slots that move inside a window are found."""
        found = judged(
            "accumulation_keeps_weights_constant",
            self.SPEC,
            with_state(self.trace(), path, 9.0, step=step),
        )
        assert found is not None
        assert found.step == step
        assert found.allowed == "exact"

    def test_counts_inside(self) -> None:
        """An update counted inside a window is found."""
        trace = with_column(self.trace(), "iterations_after", 3, 2)
        found = judged("accumulation_keeps_weights_constant", self.SPEC, trace)
        assert found is not None
        assert found.message == "step 3 lies inside a window, and 1 updates were counted"

    def test_no_update_at_the_end(self) -> None:
        """A window that ends without an update is found."""
        trace = with_column(self.trace(), "iterations_after", 1, 0)
        found = judged("accumulation_keeps_weights_constant", self.SPEC, trace)
        assert found is not None
        assert found.message == "step 1 ends a window, and 0 updates were counted"

    def test_sum_is_kept(self) -> None:
        """A sum that is not cleared would enter the next window."""
        trace = with_state(self.trace(), "dense_0_kernel_accumulator", 0.5, step=4)
        found = judged("accumulation_keeps_weights_constant", self.SPEC, trace)
        assert found is not None
        assert (found.step, found.where) == (4, "dense_0_kernel_accumulator[0, 0]")

    def test_without_counts(self) -> None:
        """Without the public count the variables are still judged."""
        trace = self.trace()
        trace = replace(trace, steps=replace(trace.steps, iterations_after=None))
        assert judged("accumulation_keeps_weights_constant", self.SPEC, trace) is None

    def test_no_accumulation(self) -> None:
        """An optimizer that updates at every step, or is not known, has no windows."""
        foreign = {"kind": "import", "import": "mine:optimizer"}
        for spec in (pipeline(), pipeline(optimizer=foreign)):
            with pytest.raises(NothingToJudge, match="must have gradient_accumulation_steps"):
                judged("accumulation_keeps_weights_constant", spec, fit_trace(pipeline()))


class TestLearningRate:
    """`learning_rate_follows_schedule`."""

    @pytest.mark.parametrize(
        ("schedule", "values"),
        [
            (
                {
                    "kind": "exponential_decay",
                    "initial_learning_rate": 1.0,
                    "decay_steps": 1,
                    "decay_rate": 0.5,
                },
                [1.0, 0.5, 0.25],
            ),
            (
                {"kind": "warmup_cosine", "peak": 1.0, "warmup_steps": 2, "total_steps": 9},
                [0.0, 0.5, 1.0],
            ),
            ({"kind": "callable", "value": 0.25}, [0.25, 0.25, 0.25]),
            (
                {"kind": "piecewise_constant_decay", "boundaries": [1], "values": [1.0, 0.5]},
                [1.0, 1.0, 0.5],
            ),
        ],
    )
    def test_schedules(self, schedule: dict[str, Any], values: list[float]) -> None:
        """Each update uses the closed form of the updates before it; one step off is found."""
        spec = apply_pipeline(3, optimizer__learning_rate=schedule)
        trace = apply_trace(spec, [SMALL, SMALL, SMALL])
        trace = replace(trace, steps=replace(trace.steps, learning_rate=np.array(values)))
        assert judged("learning_rate_follows_schedule", spec, trace) is None
        late = replace(
            trace, steps=replace(trace.steps, learning_rate=np.array([values[0] + 1, *values[:2]]))
        )
        found = judged("learning_rate_follows_schedule", spec, late)
        assert found is not None
        assert (found.step, found.where) == (0, "learning_rate")

    def test_constant(self) -> None:
        """A constant rate that changes is found, and float32 holds what it can."""
        spec = pipeline(optimizer__learning_rate=0.1)
        single = fit_trace(spec, rates={0: float(np.float32(0.1)), 1: float(np.float32(0.1))})
        assert judged("learning_rate_follows_schedule", spec, single) is None
        trace = fit_trace(spec, rates={0: 0.1, 1: 0.05})
        found = judged("learning_rate_follows_schedule", spec, trace)
        assert found is not None
        assert found.message.startswith(
            "step 3 (epoch 1): learning_rate is 0.05, expected 0.1, allowed ±0"
        )
        assert found.epoch == 1

    def test_window(self) -> None:
        """Under accumulation the rate of the update counts, as a function of the updates."""
        spec = apply_pipeline(
            4,
            optimizer__gradient_accumulation_steps=2,
            optimizer__learning_rate={
                "kind": "piecewise_constant_decay",
                "boundaries": [0],
                "values": [1.0, 0.5],
            },
        )
        trace = apply_trace(spec, [SMALL] * 4)
        rates = np.array([7.0, 1.0, 7.0, 0.5])
        trace = replace(trace, steps=replace(trace.steps, learning_rate=rates))
        assert judged("learning_rate_follows_schedule", spec, trace) is None
        rates = np.array([1.0, 0.5, 0.5, 0.5])
        trace = replace(trace, steps=replace(trace.steps, learning_rate=rates))
        found = judged("learning_rate_follows_schedule", spec, trace)
        assert found is not None
        assert (found.step, found.expected) == (1, "1")

    def test_step_decay(self) -> None:
        """A step decay sets the rate of each epoch, whatever the optimizer was given."""
        callback = {"kind": "step_decay", "initial": 0.5, "drop": 0.5, "epochs_drop": 1}
        spec = pipeline(callbacks=[callback])
        trace = fit_trace(spec, rates={0: 0.5, 1: 0.25})
        assert judged("learning_rate_follows_schedule", spec, trace) is None
        found = judged(
            "learning_rate_follows_schedule", spec, fit_trace(spec, rates={0: 0.5, 1: 0.5})
        )
        assert found is not None
        assert found.step == 3

    def test_plateau(self) -> None:
        """The rate that an epoch leaves is the rate of the next."""
        spec = pipeline(callbacks=[{"kind": "reduce_lr_on_plateau"}])
        trace = with_epoch(fit_trace(spec), 0, learning_rate=0.0625)
        found = judged("learning_rate_follows_schedule", spec, trace)
        assert found is not None
        assert (found.step, found.got, found.expected) == (3, "0.125", "0.0625")

    @pytest.mark.parametrize(
        "changes",
        [
            {"optimizer": {"kind": "import", "import": "mine:optimizer"}},
            {"optimizer__learning_rate": {"kind": "import", "import": "mine:schedule"}},
            {"callbacks": [{"kind": "import", "import": "mine:callback"}]},
        ],
    )
    def test_foreign(self, changes: dict[str, Any]) -> None:
        """The user's own code may use any rate."""
        with pytest.raises(NothingToJudge, match="must be built in"):
            judged("learning_rate_follows_schedule", pipeline(**changes), fit_trace(pipeline()))
