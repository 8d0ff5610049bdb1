"""Curves that show something, and the cause of a spike in the final step, are told apart."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.errors import HarnessUsageError
from harness.invariants import NothingToJudge, judge, judge_relation
from harness.invariants.base import View
from harness.invariants.symptoms import Symptom, find_symptom
from harness.spec.expectation import LoweredBySpec, ShowsSpec
from harness.spec.names import SymptomName
from harness.trace import Trace
from tests.invariants.faults import with_epoch
from tests.invariants.traces import fit_trace, pipeline

EPOCHS = 6
SPEC = pipeline(data__examples=12, training__epochs=EPOCHS)
"""Three full batches an epoch: eighteen steps."""

STEPS = 3 * EPOCHS
FLAT = [1.0, 1.1, 0.9] * EPOCHS


def curve(
    losses: Sequence[float],
    *,
    sizes: Sequence[int] | None = None,
    moves: Sequence[float] | None = None,
    gradients: Sequence[float] | None = None,
) -> Trace:
    """Return a run with these losses, batch sizes, lengths of moves and gradient norms."""
    trace = fit_trace(SPEC)
    assert trace.state is not None
    column = trace.state.column("dense_0/kernel")
    before = trace.state.before.copy()
    before[:, column] = 0.0
    for path in trace.state.paths("trainable"):
        before[:, trace.state.column(path)] = 0.0
    before[:, column.start] = np.append(0.0, np.cumsum(moves or [1.0] * (STEPS - 1)))
    return replace(
        trace,
        steps=replace(
            trace.steps,
            loss=np.array(losses),
            batch_size=np.array(sizes or [4] * STEPS),
            gradient_norm=np.array(gradients or [1.0] * STEPS),
        ),
        state=replace(trace.state, before=before),
    )


def found(name: SymptomName, trace: Trace) -> Symptom | None:
    """Return the symptom, if the run shows it."""
    return find_symptom(name, View(pipeline=SPEC, trace=trace))


def spiked(last: float = 9.0) -> list[float]:
    """Return flat losses that leap in the final step."""
    return [*FLAT[:-1], last]


class TestFinalStepSpike:
    """`shows` with ``final_step_spike``."""

    def test_nothing_leaps(self) -> None:
        """Losses that scatter as before are no spike, nor is a fall."""
        assert found("final_step_spike", curve(FLAT)) is None
        assert found("final_step_spike", curve(spiked(0.01))) is None

    def test_equal_losses_do_not_leap_by_rounding(self) -> None:
        """Without any scatter a leap is half as much again."""
        assert found("final_step_spike", curve([1.0] * (STEPS - 1) + [1.4])) is None
        assert found("final_step_spike", curve([1.0] * (STEPS - 1) + [1.6])) is not None

    def test_outlier_batch(self) -> None:
        """The same batch stood out in every epoch."""
        symptom = found("final_step_spike", curve([1.0, 1.0, 9.0] * EPOCHS))
        assert symptom == Symptom(
            name="final_step_spike",
            cause="outlier_batch",
            evidence="the loss of step 17 is 9, 1 is usual: "
            "the same batch stood out in 5 of 5 earlier epochs",
            step=17,
        )

    def test_partial_batch(self) -> None:
        """The same, and it holds fewer examples."""
        symptom = found(
            "final_step_spike", curve([1.0, 1.0, 9.0] * EPOCHS, sizes=[4, 4, 1] * EPOCHS)
        )
        assert symptom is not None
        assert symptom.cause == "partial_batch"
        assert symptom.evidence.endswith("earlier epochs, it holds 1 of 4 examples")

    def test_overshoot(self) -> None:
        """The last updates went further than all before."""
        symptom = found("final_step_spike", curve(spiked(), moves=[1.0] * 15 + [4.0, 5.0]))
        assert symptom is not None
        assert symptom.cause == "overshoot"
        assert symptom.evidence.endswith("the last updates moved the weights 5.0 times as far")

    def test_sharp_minimum(self) -> None:
        """Moves as long as ever, and a gradient many times as large."""
        symptom = found("final_step_spike", curve(spiked(), gradients=[1.0] * 17 + [8.0]))
        assert symptom is not None
        assert symptom.cause == "sharp_minimum"
        assert symptom.evidence.endswith("moves as long as ever met a gradient 8.0 times as large")

    def test_unknown(self) -> None:
        """What cannot be told is not guessed."""
        symptom = found("final_step_spike", curve(spiked()))
        assert symptom is not None
        assert symptom.cause == "unknown"

    def test_an_epoch_of_few_batches_says_nothing_of_its_batches(self) -> None:
        """With two batches an epoch there is nothing for one to stand out from."""
        spec = pipeline(data__examples=8, training__epochs=6)
        trace = fit_trace(spec)
        losses = np.array([1.0, 1.0] * 5 + [1.0, 9.0])
        trace = replace(trace, steps=replace(trace.steps, loss=losses))
        symptom = find_symptom("final_step_spike", View(pipeline=spec, trace=trace))
        assert symptom is not None
        assert symptom.cause not in {"outlier_batch", "partial_batch"}

    def test_too_short(self) -> None:
        """Ten steps are what a spike is seen against."""
        trace = fit_trace(pipeline())
        with pytest.raises(NothingToJudge, match="at least 11 steps, got 6"):
            found("final_step_spike", trace)


class TestDivergence:
    """`shows` with ``divergence``."""

    def test_not_a_number(self) -> None:
        """The first loss that is none is named."""
        symptom = found("divergence", curve([*FLAT[:9], np.nan, *FLAT[10:]]))
        assert symptom is not None
        assert symptom.evidence == "the loss is nan at step 9"

    def test_growth(self) -> None:
        """Ten times the lowest, and still rising."""
        symptom = found("divergence", curve([1.5**step for step in range(STEPS)]))
        assert symptom is not None
        assert symptom.evidence == "the loss rose from 1 at step 0 to 985 at step 17"

    @pytest.mark.parametrize(
        "losses", [FLAT, [*FLAT[:-1], 90.0], [0.01, *(100.0 - step for step in range(STEPS - 1))]]
    )
    def test_nothing_of_it(self, losses: list[float]) -> None:
        """A leap at the end alone is no divergence, nor is a loss that falls again."""
        assert found("divergence", curve(losses)) is None

    def test_too_short(self) -> None:
        """Two steps make no curve."""
        spec = pipeline(data__examples=8, training__epochs=1)
        with pytest.raises(NothingToJudge, match="at least 3 steps, got 2"):
            find_symptom("divergence", View(pipeline=spec, trace=fit_trace(spec)))


class TestOverfitting:
    """`shows` with ``overfitting``."""

    def validated(self, trained: Sequence[float], held_out: Sequence[float]) -> Trace:
        """Return a run with these losses at the ends of its epochs."""
        trace = fit_trace(SPEC)
        for epoch, (loss, val_loss) in enumerate(zip(trained, held_out, strict=True)):
            trace = with_epoch(trace, epoch, logs={"loss": loss, "val_loss": val_loss})
        return trace

    def test_the_curves_part(self) -> None:
        """The epoch of the lowest validation loss is named."""
        symptom = found(
            "overfitting", self.validated([6, 5, 4, 3, 2, 1], [6.0, 4.0, 5.0, 6.0, 7.0, 8.0])
        )
        assert symptom is not None
        assert symptom.epoch == 1
        assert symptom.evidence == (
            "val_loss rose from 4 in epoch 1 to 8 while loss fell from 5 to 1"
        )

    @pytest.mark.parametrize(
        ("trained", "held_out"),
        [([6, 5, 4, 3, 2, 1], [6, 5, 4, 3, 3, 3.2]), ([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6])],
    )
    def test_nothing_of_it(self, trained: list[float], held_out: list[float]) -> None:
        """Scatter is no turn, and where both rise the training diverges."""
        assert found("overfitting", self.validated(trained, held_out)) is None

    def test_too_short(self) -> None:
        """It takes validation data."""
        with pytest.raises(NothingToJudge, match="at least 3 validated epochs, got 0"):
            found("overfitting", fit_trace(SPEC))


class TestShows:
    """The expectation itself."""

    def message(self, trace: Trace, **chosen: Any) -> tuple[str, str, str] | None:
        """Return message, got and expected of its violation."""
        expectation = ShowsSpec(symptom="final_step_spike", **chosen)
        violations = judge(expectation, pipeline=SPEC, trace=trace)
        return (
            (violations[0].message, violations[0].got, violations[0].expected)
            if violations
            else None
        )

    def test_as_expected(self) -> None:
        """With the right cause, without a cause, and where it must be absent."""
        outlier = curve([1.0, 1.0, 9.0] * EPOCHS)
        assert self.message(outlier, cause="outlier_batch") is None
        assert self.message(outlier) is None
        assert self.message(curve(FLAT), absent=True) is None

    def test_otherwise(self) -> None:
        """Another cause, nothing at all, or what must not be there."""
        outlier = curve([1.0, 1.0, 9.0] * EPOCHS)
        seen = (
            "final_step_spike: the loss of step 17 is 9, 1 is usual: "
            "the same batch stood out in 5 of 5 earlier epochs"
        )
        by_outlier = "final_step_spike by outlier_batch"
        assert self.message(outlier, cause="overshoot") == (
            seen,
            by_outlier,
            "final_step_spike by overshoot",
        )
        assert self.message(outlier, absent=True) == (seen, by_outlier, "no final_step_spike")
        assert self.message(curve(FLAT)) == (
            "final_step_spike: the curves show nothing of it",
            "nothing",
            "final_step_spike",
        )


class TestLoweredBy:
    """`lowered_by`."""

    EXPECTATION = LoweredBySpec(
        change={"optimizer.clipnorm": 0.5},
        figure="final_step_loss",
        to_at_most=0.5,
        because="it was measured",
    )

    def test_low_enough(self) -> None:
        """The share that is left is the border, and allowed."""
        before, after = curve(spiked(8.0)), curve(spiked(4.0))
        assert judge_relation(self.EXPECTATION, pipeline=SPEC, trace=before, changed=after) == ()

    @pytest.mark.parametrize("left", [4.5, float("nan")])
    def test_not_low_enough(self, left: float) -> None:
        """What is left is told beside what there was; NaN is not low."""
        before, after = curve(spiked(8.0)), curve(spiked(left))
        (violation,) = judge_relation(self.EXPECTATION, pipeline=SPEC, trace=before, changed=after)
        assert violation.message == (
            f"optimizer.clipnorm = 0.5 leaves final_step_loss at {left!r}, of 8"
        )
        assert violation.expected == "at most 4"

    def test_one_trace_is_not_enough(self) -> None:
        """It takes two runs."""
        with pytest.raises(HarnessUsageError, match="lowered_by must be judged over two traces"):
            judge(self.EXPECTATION, pipeline=SPEC, trace=fit_trace(SPEC))
