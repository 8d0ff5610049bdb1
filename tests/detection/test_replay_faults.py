"""A replay finds the first value that an optimizer gets wrong."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.invariants import NothingToJudge
from harness.invariants.base import View
from harness.invariants.replay import rule_of
from harness.spec.expectation import MatchesOracleSpec
from harness.trace import StopReason, Trace
from tests.invariants.configurations import CONFIGURATIONS, SCALED, violation
from tests.invariants.faults import with_state, with_stop
from tests.invariants.traces import apply_pipeline, apply_trace, fit_trace, pipeline

REPLAY = MatchesOracleSpec(reference="replay")
NEAR = MatchesOracleSpec(reference="replay", atol=1e-12, because="rounding")


class TestReplay:
    """`matches_oracle` with recorded gradients."""

    @pytest.mark.parametrize("changes", CONFIGURATIONS)
    def test_healthy(self, changes: dict[str, Any]) -> None:
        """A run of the documented optimizer passes without any tolerance."""
        spec = pipeline(**changes)
        assert violation(REPLAY, spec, fit_trace(spec)) is None

    def test_skipped_steps(self) -> None:
        """Steps that loss scaling skips are part of a healthy run."""
        spec = pipeline(precision__loss_scale=SCALED)
        assert violation(REPLAY, spec, fit_trace(spec, spoiled={1: np.inf, 4: np.nan})) is None

    def test_non_finite_gradients(self) -> None:
        """Without loss scaling NaN spreads, in the oracle as well."""
        spec = pipeline()
        assert violation(REPLAY, spec, fit_trace(spec, spoiled={1: np.inf, 4: np.nan})) is None

    @pytest.mark.parametrize(
        ("path", "quantity"),
        [
            ("dense_0/kernel", "weights"),
            ("dense_1_bias_momentum", "slots"),
            ("dense_1_bias_average", "average"),
            ("dense_0_bias_accumulator", "accumulator"),
            ("iteration", "counters"),
            ("dynamic_scale", "counters"),
            ("step_counter", "counters"),
        ],
    )
    def test_wrong_step(self, path: str, quantity: str) -> None:
        """Whatever goes wrong first is named: step, variable, got and expected."""
        spec = pipeline(
            optimizer__use_ema=True,
            optimizer__gradient_accumulation_steps=2,
            precision__loss_scale=SCALED,
        )
        found = violation(REPLAY, spec, with_state(fit_trace(spec), path, 7.5, step=4))
        assert found is not None
        assert found.mismatch is not None
        assert (found.step, found.epoch, found.got) == (4, 1, "7.5")
        assert (found.mismatch.quantity, found.mismatch.where) == (quantity, path)
        assert found.message.startswith(f"step 4 (epoch 1): {path}")

    @pytest.mark.parametrize(
        "changes",
        [
            {"optimizer__momentum": 0.53125},
            {"optimizer__nesterov": True},
            {"optimizer__weight_decay": 0.001},
            {"optimizer__clipnorm": 0.5},
            {"optimizer__gradient_accumulation_steps": 2},
            {"optimizer": {"kind": "sgd", "learning_rate": 0.125}},
            {"optimizer": {"kind": "rmsprop", "learning_rate": 0.125}},
        ],
    )
    def test_wrong_optimizer(self, changes: dict[str, Any]) -> None:
        """A run of any other optimizer than the one asked for is found at its first step."""
        found = violation(REPLAY, pipeline(**changes), fit_trace(pipeline()))
        assert found is not None
        assert found.step in {None, 0, 1}

    def test_error_stays_visible(self) -> None:
        """The oracle goes its own way: it does not start each step from the recorded weights."""
        spec = pipeline()
        trace = fit_trace(spec)
        assert trace.state is not None
        shift = np.zeros(trace.state.width)
        shift[0] = 1e-9
        trace = replace(
            trace,
            state=replace(
                trace.state,
                initial=trace.state.initial,
                before=trace.state.before + shift,
                after=trace.state.after + shift,
                final=trace.state.final + shift,
            ),
        )
        found = violation(REPLAY, spec, trace)
        assert found is not None
        assert found.message.startswith("before step 0 (epoch 0): dense_0/kernel[0, 0] is")

    def test_phantom_decay_between_epochs(self) -> None:
        """Weights that move between two steps are found before the second."""
        spec = pipeline()
        trace = with_state(fit_trace(spec), "dense_0/bias", 9.0, step=3, part="before")
        found = violation(REPLAY, spec, trace)
        assert found is not None
        assert found.message.startswith("before step 3 (epoch 1): dense_0/bias[0] is 9, expected")

    def test_wrong_start(self) -> None:
        """A slot that does not begin with the documented value is found."""
        spec = pipeline(optimizer={"kind": "adagrad"})
        trace = with_state(fit_trace(spec), "dense_0_bias_accumulator", 0.5, part="initial")
        found = violation(REPLAY, spec, trace)
        assert found is not None
        assert found.message.startswith("before training: dense_0_bias_accumulator[0] is 0.5")
        assert found.step is None

    def test_missing_slot(self) -> None:
        """An optimizer without the slots of its algorithm is found."""
        found = violation(REPLAY, pipeline(optimizer__use_ema=True), fit_trace(pipeline()))
        assert found is not None
        assert (found.where, found.got) == ("dense_0/kernel:average", "absent")
        found = violation(REPLAY, pipeline(), fit_trace(pipeline(optimizer__momentum=0.0)))
        assert found is not None
        assert found.where == "dense_0/kernel:momentum"

    def test_moving_average_left_out(self) -> None:
        """After fit the weights are their averages."""
        spec = pipeline(optimizer__use_ema=True)
        trace = fit_trace(spec)
        assert trace.state is not None
        raw = replace(trace, state=replace(trace.state, final=trace.state.after[-1]))
        found = violation(REPLAY, spec, raw)
        assert found is not None
        assert found.message.startswith("after training: dense_0/kernel[0, 0] is")
        broken = with_stop(raw, StopReason.CALLBACK_ERROR)
        assert violation(REPLAY, spec, broken) is None

    def test_restored_weights_are_another_matter(self) -> None:
        """Where early stopping restores weights the final ones are left to its own check."""
        callback = {"kind": "early_stopping", "restore_best_weights": True}
        spec = pipeline(callbacks=[callback])
        trace = with_state(fit_trace(spec), "dense_0/kernel", 9.0, part="final")
        assert violation(REPLAY, spec, trace) is None
        trace = with_state(trace, "dense_0_kernel_momentum", 9.0, part="final")
        assert violation(REPLAY, spec, trace) is not None

    def test_swapped_weights(self) -> None:
        """A callback that swaps weights may do so between epochs, and only there."""
        callbacks = [{"kind": "swap_ema_weights", "swap_on_epoch": True}]
        spec = pipeline(optimizer__use_ema=True, callbacks=callbacks)
        plain = pipeline(optimizer__use_ema=True)
        trace = self.swapped(fit_trace(plain))
        assert violation(NEAR, spec, trace) is None
        found = violation(NEAR, plain, trace)
        assert found is not None
        assert found.message.startswith("before step 3 (epoch 1): dense_0/kernel[0, 0] is")
        inside = with_state(trace, "dense_0/kernel", 9.0, step=1, part="before")
        found = violation(NEAR, spec, inside)
        assert found is not None
        assert found.step == 1

    def swapped(self, trace: Trace) -> Trace:
        """Return the run as it would be with other weights from the second epoch on."""
        assert trace.state is not None
        spec = pipeline(optimizer__use_ema=True)
        rule = rule_of(View(pipeline=spec, trace=trace))
        width = 13
        state = trace.state
        assert trace.gradients is not None
        before, after = np.array(state.before), np.array(state.after)
        before[3:, :width] += 0.5
        after[3:, :width] += 0.5
        averages = slice(state.column("dense_0_kernel_average").start, 3 * width)
        for step in range(3, 6):
            weights = after[step, :width]
            old = before[step, averages]
            after[step, averages] = rule.ema_momentum * old + (1 - rule.ema_momentum) * weights
            if step < 5:
                before[step + 1, averages] = after[step, averages]
        return replace(trace, state=replace(state, before=before, after=after, final=after[-1]))

    def test_resumed_run(self) -> None:
        """A run that goes on with a used optimizer is replayed from where it was."""
        spec = pipeline(
            optimizer__use_ema=True,
            optimizer__gradient_accumulation_steps=2,
            precision__loss_scale=SCALED,
            training__epochs=3,
        )
        whole = fit_trace(spec)
        trace = second_half(whole, 5)
        assert violation(REPLAY, spec, trace) is None
        assert violation(REPLAY, spec, with_state(trace, "iteration", 9.0, step=1)) is not None

    def test_resumed_without_average(self) -> None:
        """A used optimizer that lacks a variable is found."""
        spec = pipeline(optimizer__use_ema=True)
        trace = second_half(fit_trace(pipeline()), 2)
        found = violation(REPLAY, spec, trace)
        assert found is not None
        assert found.got == "absent"

    def test_excluded_from_decay(self) -> None:
        """Variables that are excluded from the decay by part of their name do not decay."""
        spec = pipeline(optimizer={"kind": "adamw", "exclude_from_weight_decay": ["bias", "gamma"]})
        trace = fit_trace(pipeline(optimizer={"kind": "adamw"}))
        assert rule_of(View(pipeline=spec, trace=trace)).decay_mask == (True, False, True, False)
        found = violation(REPLAY, spec, trace)
        assert found is not None
        assert found.where is not None
        assert found.where.startswith("dense_0/bias")

    def test_no_gradients_at_all(self) -> None:
        """A step in which no variable has a gradient changes nothing in the oracle."""
        spec = apply_pipeline(2)
        grads = (np.ones(2), np.ones(3))
        trace = apply_trace(spec, [grads, (np.ones(2), None)])
        assert violation(REPLAY, spec, trace) is None
        events = tuple(replace(event, name="variable_0") for event in trace.events)
        found = violation(REPLAY, spec, replace(trace, events=trace.events + events))
        assert found is not None
        assert found.step == 1

    def test_foreign_or_uncounted(self) -> None:
        """The user's own optimizer, or one without a count, can't be replayed."""
        trace = fit_trace(pipeline())
        foreign = pipeline(optimizer={"kind": "import", "import": "mine:optimizer"})
        with pytest.raises(NothingToJudge, match="must be a built-in one"):
            violation(REPLAY, foreign, trace)
        assert trace.state is not None
        variables = tuple(
            replace(info, role="seed") if info.role == "iterations" else info
            for info in trace.state.variables
        )
        trace = replace(trace, state=replace(trace.state, variables=variables))
        with pytest.raises(NothingToJudge, match="the optimizer must have a counter"):
            violation(REPLAY, pipeline(), trace)

    def test_tensorflow_1(self) -> None:
        """TensorFlow 1 keeps its slots to itself."""
        spec = pipeline(training={"kind": "legacy_global_step"})
        with pytest.raises(NothingToJudge, match="must use a Keras optimizer"):
            violation(REPLAY, spec, fit_trace(pipeline()))


def second_half(trace: Trace, first: int) -> Trace:
    """Return the run from one step on, as if training had been resumed there."""
    state, gradients = trace.state, trace.gradients
    assert state is not None
    assert gradients is not None
    assert trace.steps.sample_ids is not None
    assert gradients.clipped is not None
    columns: Any = {
        name: trace.steps.column(name)[first:] for name in trace.steps.recorded - {"sample_ids"}
    }
    return replace(
        trace,
        steps=replace(trace.steps, sample_ids=trace.steps.sample_ids[first:], **columns),
        state=replace(
            state,
            initial=state.before[first],
            before=state.before[first:],
            after=state.after[first:],
        ),
        gradients=replace(gradients, raw=gradients.raw[first:], clipped=gradients.clipped[first:]),
        epochs=(),
    )
