"""Two runs that should be alike and are not, figures out of bounds, and wrong ends are found."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.errors import HarnessUsageError
from harness.invariants import Violation, judge, judge_limits, judge_relation
from harness.spec.expectation import BoundSpec, ChangedBySpec, StopsSpec, UnchangedBySpec
from harness.spec.names import Quantity
from harness.spec.scenario import LimitsSpec
from harness.trace import StopReason, Trace
from tests.invariants.faults import with_column, with_epoch, with_state, with_stop
from tests.invariants.traces import fit_trace, pipeline

SPEC = pipeline()

EAGER: dict[str, Any] = {"compile.run_eagerly": True}


def relation(
    trace: Trace, changed: Trace, *quantities: Quantity, **tolerance: Any
) -> tuple[Violation, ...]:
    """Return where a changed run differs in these quantities."""
    chosen: dict[str, Any] = {"quantities": quantities} if quantities else {}
    expectation = UnchangedBySpec(change=EAGER, **chosen, **tolerance)
    return judge_relation(expectation, pipeline=SPEC, trace=trace, changed=changed)


class TestUnchangedBy:
    """`unchanged_by`."""

    def test_same_run(self) -> None:
        """The same run twice is unchanged."""
        assert relation(fit_trace(SPEC), fit_trace(SPEC)) == ()

    @pytest.mark.parametrize(
        ("quantity", "where", "change"),
        [
            ("steps", "batch", lambda trace: with_column(trace, "batch", 4, 7)),
            ("losses", "loss", lambda trace: with_column(trace, "loss", 4, 7.0)),
            (
                "learning_rates",
                "learning_rate",
                lambda trace: with_column(trace, "learning_rate", 4, 7.0),
            ),
            (
                "weights",
                "dense_0/kernel[0, 0]",
                lambda trace: with_state(trace, "dense_0/kernel", 7.0, step=4),
            ),
            (
                "slots",
                "dense_0_kernel_momentum[0, 0]",
                lambda trace: with_state(trace, "dense_0_kernel_momentum", 7.0, step=4),
            ),
            ("counters", "iteration", lambda trace: with_state(trace, "iteration", 7.0, step=4)),
        ],
    )
    def test_first_difference(self, quantity: Quantity, where: str, change: Any) -> None:
        """The first step at which two runs part is named, with what the first run had."""
        trace = fit_trace(SPEC)
        found = relation(trace, change(trace), quantity)
        assert len(found) == 1
        assert (found[0].step, found[0].epoch, found[0].where) == (4, 1, where)
        assert found[0].got == "7"
        assert found[0].check == "unchanged_by.compile.run_eagerly"
        assert found[0].why == "A run is unchanged by compile.run_eagerly = True"

    def test_logs_and_stop(self) -> None:
        """Other logs and another end are found as well."""
        trace = fit_trace(SPEC)
        assert relation(trace, with_epoch(trace, 1, logs={"loss": 7.0}), "logs")[0].epoch == 1
        stopped = with_stop(trace, StopReason.CALLBACK_REQUEST)
        assert relation(trace, stopped, "stop")[0].got == "callback_request"

    def test_tolerance(self) -> None:
        """A tolerance comes with its reason, and only as far as it goes."""
        trace = fit_trace(SPEC)
        assert trace.steps.loss is not None
        near = with_column(trace, "loss", 4, float(trace.steps.loss[4]) + 0.25)
        assert relation(trace, near, "losses", atol=0.5, because="XLA") == ()
        found = relation(trace, near, "losses", atol=0.125, because="XLA")
        assert found[0].allowed == "±0.125 (XLA)"

    def test_nothing_changed(self) -> None:
        """A relation without a change is that of the same run twice."""
        trace = fit_trace(SPEC)
        expectation = UnchangedBySpec(quantities=("losses",))
        found = judge_relation(
            expectation, pipeline=SPEC, trace=trace, changed=with_column(trace, "loss", 0, 7.0)
        )
        assert found[0].why == "A run is unchanged by running it again"

    def test_one_trace_is_not_enough(self) -> None:
        """A relation can't be judged over one run."""
        with pytest.raises(HarnessUsageError, match="unchanged_by must be judged over two traces"):
            judge(UnchangedBySpec(), pipeline=SPEC, trace=fit_trace(SPEC))


class TestChangedBy:
    """`changed_by`."""

    EXPECTATION = ChangedBySpec(change={"optimizer.momentum": 0.5}, quantities=("losses", "stop"))

    def test_an_effect(self) -> None:
        """A run that comes out otherwise is what is expected."""
        trace = fit_trace(SPEC)
        changed = with_column(trace, "loss", 4, 7.0)
        assert judge_relation(self.EXPECTATION, pipeline=SPEC, trace=trace, changed=changed) == ()

    def test_no_effect(self) -> None:
        """An argument that is accepted and ignored is named."""
        (found,) = judge_relation(
            self.EXPECTATION, pipeline=SPEC, trace=fit_trace(SPEC), changed=fit_trace(SPEC)
        )
        assert found.check == "changed_by.optimizer.momentum"
        assert found.message == (
            "optimizer.momentum = 0.5 is accepted and has no effect: losses, stop are as without it"
        )
        assert (found.got, found.where) == ("the same run", "optimizer.momentum")

    def test_one_trace_is_not_enough(self) -> None:
        """It takes two runs."""
        with pytest.raises(HarnessUsageError, match="changed_by must be judged over two traces"):
            judge(self.EXPECTATION, pipeline=SPEC, trace=fit_trace(SPEC))


class TestBounds:
    """`bound` and the limits of a scenario."""

    def bound(self, trace: Trace, **bounds: Any) -> str | None:
        """Return the message for a bound on the last loss."""
        expectation = BoundSpec(figure="final_loss", because="it was measured", **bounds)
        found = judge(expectation, pipeline=SPEC, trace=trace)
        return found[0].message if found else None

    @pytest.mark.parametrize(
        ("bounds", "message"),
        [
            ({"at_most": 2.0}, None),
            ({"at_least": 2.0}, None),
            ({"at_most": 1.5}, "final_loss is 2: above, it must be at most 1.5"),
            ({"at_least": 3.0}, "final_loss is 2: below, it must be at least 3"),
            (
                {"at_least": 3.0, "at_most": 4.0},
                "final_loss is 2: below, it must be at least 3 and at most 4",
            ),
        ],
    )
    def test_bounds(self, bounds: dict[str, float], message: str | None) -> None:
        """A figure beyond a bound is found, the bound itself is allowed."""
        assert self.bound(with_epoch(fit_trace(SPEC), 1, logs={"loss": 2.0}), **bounds) == message

    @pytest.mark.parametrize("bounds", [{"at_most": 1e9}, {"at_least": -1e9}])
    def test_nan(self, bounds: dict[str, float]) -> None:
        """NaN is within no bounds."""
        trace = with_epoch(fit_trace(SPEC), 1, logs={"loss": float("nan")})
        message = self.bound(trace, **bounds)
        assert message is not None
        assert message.startswith("final_loss is nan: no number, it must be")

    def test_limits(self) -> None:
        """A run that costs more than it may is found, for each limit."""
        trace = fit_trace(SPEC)
        assert judge_limits(LimitsSpec(), trace=trace) == ()
        assert judge_limits(LimitsSpec(wall_seconds=1.0, peak_rss_bytes=9), trace=trace) == ()
        found = judge_limits(LimitsSpec(wall_seconds=0.5, peak_rss_bytes=8), trace=trace)
        assert [violation.message for violation in found] == [
            "peak_rss_bytes is 9, the limit is 8",
            "wall_seconds is 1, the limit is 0.5",
        ]
        assert found[0].check == "limits.peak_rss_bytes"


class TestStops:
    """`stops`."""

    def stops(self, trace: Trace, **wanted: Any) -> Violation | None:
        """Return the violation of a wanted end."""
        found = judge(StopsSpec(**wanted), pipeline=SPEC, trace=trace)
        return found[0] if found else None

    def test_right(self) -> None:
        """The right reason passes, with evidence or without."""
        trace = with_stop(fit_trace(SPEC), StopReason.CALLBACK_REQUEST, callback="SilentStopper")
        assert self.stops(trace, reason="callback_request") is None
        assert self.stops(trace, reason="callback_request", evidence="SilentStopper") is None

    def test_wrong_reason(self) -> None:
        """Another reason is found, with all that is known of it."""
        found = self.stops(fit_trace(SPEC), reason="early_stopping")
        assert found is not None
        assert (found.got, found.expected) == ("completed", "early_stopping")
        assert found.message == (
            "training ended for another reason: "
            "Training ran all the epochs it was asked for. 6 of 6 steps."
        )

    def test_wrong_evidence(self) -> None:
        """The right reason with other evidence is found."""
        found = self.stops(fit_trace(SPEC), reason="completed", evidence="9 of 9")
        assert found is not None
        assert (found.got, found.expected) == (
            "completed (6 of 6 steps)",
            "completed (9 of 9)",
        )


def test_a_fault_in_one_quantity_is_not_seen_in_another() -> None:
    """What a relation does not compare may differ."""
    trace = fit_trace(SPEC)
    steps = replace(trace.steps, loss=np.zeros(6))
    assert relation(trace, replace(trace, steps=steps), "weights", "steps") == ()
