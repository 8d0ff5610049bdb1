"""Early stopping at the wrong epoch, wrong weights and a wrong plateau are found."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.invariants import NothingToJudge
from harness.spec.pipeline import PipelineSpec
from harness.trace import Event, StopReason, Trace
from tests.invariants.faults import judged, with_epoch, with_state, with_stop
from tests.invariants.traces import fit_trace, pipeline

STOPPED = StopReason.EARLY_STOPPING


def stopping(epochs: int = 5, **arguments: Any) -> PipelineSpec:
    """Return a pipeline with one early stopping on a scripted monitor."""
    callback = {"kind": "early_stopping", "scripted": True, "script": [0.0], **arguments}
    return pipeline(training__epochs=epochs, callbacks=[callback])


def run(spec: PipelineSpec, values: Sequence[float], reason: StopReason = STOPPED) -> Trace:
    """Return a run that logged these values of val_loss and then ended."""
    length = pipeline(training__epochs=max(len(values), 1))
    trace = fit_trace(length, logs=[{"val_loss": value} for value in values])
    if not values:
        trace = replace(trace, epochs=())
    return replace(with_stop(trace, reason), pipeline=spec.model_dump_json())


def restored(trace: Trace, row: int) -> Trace:
    """Return the trace with the final weights of one row."""
    assert trace.state is not None
    final = trace.state.after[row]
    return replace(trace, state=replace(trace.state, final=final))


class TestStopEpoch:
    """`early_stopping_follows_automaton`, on when it stops."""

    def test_right_epoch(self) -> None:
        """A run that stops when it should is right."""
        spec = stopping(patience=2)
        trace = run(spec, [3.0, 2.0, 2.5, 2.25])
        assert judged("early_stopping_follows_automaton", spec, trace) is None

    def test_too_late(self) -> None:
        """A build whose patience counts from zero stops one epoch late."""
        spec = stopping(patience=2)
        found = judged(
            "early_stopping_follows_automaton", spec, run(spec, [3.0, 2.0, 2.5, 2.25, 2.125])
        )
        assert found is not None
        message = "training went on after epoch 3; val_loss was 3.0, 2.0, 2.5, 2.25, 2.125"
        assert found.message == message
        assert (found.got, found.expected, found.epoch) == ("last epoch 4", "last epoch 3", 3)

    def test_too_early(self) -> None:
        """A build that ignores an improvement stops too early."""
        spec = stopping(patience=2)
        found = judged("early_stopping_follows_automaton", spec, run(spec, [3.0, 2.5, 2.25]))
        assert found is not None
        assert found.message == "training was stopped after epoch 2; val_loss was 3.0, 2.5, 2.25"
        assert (found.got, found.expected) == ("stopped after epoch 2", "no stop yet")

    def test_nan_first(self) -> None:
        """NaN is never the best: a run that improves after it goes on."""
        spec = stopping(patience=2)
        found = judged("early_stopping_follows_automaton", spec, run(spec, [math.nan, 3.0, 2.0]))
        assert found is not None
        assert found.where == "early_stopping(monitor='val_loss')"

    def test_the_earliest_stops(self) -> None:
        """Of two early stoppings the earlier ends the run."""
        callbacks = [
            {"kind": "early_stopping", "monitor": "val_loss", "patience": patience}
            for patience in (4, 2)
        ]
        spec = pipeline(training__epochs=5, callbacks=callbacks)
        trace = run(spec, [1.0, 2.0, 2.0, 2.0])
        found = judged("early_stopping_follows_automaton", spec, trace)
        assert found is not None
        assert found.expected == "last epoch 2"

    def test_missing_monitor(self) -> None:
        """Epochs without the monitored value are no epochs for it."""
        spec = stopping(patience=1, monitor="val_accuracy", mode="max")
        trace = run(spec, [1.0, 2.0, 3.0, 4.0, 5.0], StopReason.COMPLETED)
        assert judged("early_stopping_follows_automaton", spec, trace) is None

    def test_without_epochs(self) -> None:
        """A run that ended in its first epoch has nothing to stop."""
        spec = stopping()
        trace = run(spec, [], StopReason.CALLBACK_ERROR)
        assert judged("early_stopping_follows_automaton", spec, trace) is None

    def test_without_callback(self) -> None:
        """A pipeline without early stopping can't be judged."""
        spec = pipeline()
        with pytest.raises(NothingToJudge, match="must hold an early_stopping"):
            judged("early_stopping_follows_automaton", spec, fit_trace(spec))


class TestBestEpoch:
    """`early_stopping_follows_automaton`, on what it remembers and restores."""

    VALUES = (3.0, 2.0, 2.5, 2.25)

    def final_event(self, **detail: float) -> tuple[Event, ...]:
        """Return what the callback says of itself when training has ended."""
        other = Event(kind="callback", name="EarlyStopping", detail={"index": 0, "best_epoch": 9})
        third = Event(kind="callback", name="Other", detail={"index": 3, "final": True})
        own = Event(
            kind="callback", name="EarlyStopping", detail={"index": 0, "final": True, **detail}
        )
        return (other, own, third)

    def test_best_epoch(self) -> None:
        """Another best epoch than that of the automaton is found."""
        spec = stopping(patience=2)
        trace = replace(run(spec, self.VALUES), events=self.final_event(best_epoch=3))
        found = judged("early_stopping_follows_automaton", spec, trace)
        assert found is not None
        assert found.message == "the callback's best_epoch is 3"
        assert (found.expected, found.where) == ("1", "callbacks.0.best_epoch")

    def test_stopped_epoch(self) -> None:
        """Another stop epoch than that of the automaton is found."""
        spec = stopping(patience=2)
        events = self.final_event(best_epoch=1, stopped_epoch=2)
        found = judged(
            "early_stopping_follows_automaton", spec, replace(run(spec, self.VALUES), events=events)
        )
        assert found is not None
        assert found.message == "the callback's stopped_epoch is 2"

    def test_restored_weights(self) -> None:
        """The weights of the best epoch are there bit for bit, or it is found."""
        spec = stopping(patience=2, restore_best_weights=True)
        trace = restored(run(spec, self.VALUES), 5)
        trace = replace(trace, events=self.final_event(best_epoch=1, stopped_epoch=3))
        assert judged("early_stopping_follows_automaton", spec, trace) is None
        assert trace.state is not None
        nearly = np.nextafter(trace.state.final_of("dense_1/bias")[0], 9.0)
        found = judged(
            "early_stopping_follows_automaton",
            spec,
            with_state(trace, "dense_1/bias", nearly, part="final"),
        )
        assert found is not None
        start = "the weights of epoch 1 were to be restored: after training: dense_1/bias[0] is"
        assert found.message.startswith(start)
        assert (found.where, found.allowed) == ("dense_1/bias[0]", "exact")

    def test_last_weights_kept(self) -> None:
        """A build that forgets to restore is found."""
        spec = stopping(patience=2, restore_best_weights=True)
        found = judged("early_stopping_follows_automaton", spec, run(spec, self.VALUES))
        assert found is not None
        assert found.epoch == 1

    def test_first_weights(self) -> None:
        """An epoch without a step leaves the weights training began with."""
        spec = stopping(patience=2, restore_best_weights=True)
        trace = run(spec, [1.0, 2.0, 2.0])
        trace = with_epoch(trace, 0, steps=0, stop_step=0)
        assert trace.state is not None
        trace = replace(trace, state=replace(trace.state, final=trace.state.initial))
        assert judged("early_stopping_follows_automaton", spec, trace) is None

    def test_not_restored_after_an_exception(self) -> None:
        """A run that broke off has not been restored."""
        spec = stopping(patience=3, restore_best_weights=True)
        trace = run(spec, self.VALUES, StopReason.CALLBACK_ERROR)
        assert judged("early_stopping_follows_automaton", spec, trace) is None

    def test_others_write_weights(self) -> None:
        """Where another callback writes weights at the end, nothing is said about them."""
        swap = {"kind": "swap_ema_weights"}
        callback = {"kind": "early_stopping", "patience": 2, "restore_best_weights": True}
        spec = pipeline(training__epochs=5, optimizer__use_ema=True, callbacks=[callback, swap])
        assert judged("early_stopping_follows_automaton", spec, run(spec, self.VALUES)) is None


class TestModes:
    """Which way is better, where the scenario leaves it to Keras."""

    @pytest.mark.parametrize(
        ("monitor", "metric", "values", "stop"),
        [
            ("loss", "accuracy", [1.0, 2.0, 0.5], 1),
            ("val_accuracy", "accuracy", [1.0, 0.5, 2.0], 1),
            ("val_mine", {"kind": "auc", "name": "mine"}, [1.0, 0.5, 2.0], 1),
            ("mean_squared_error", "mean_squared_error", [1.0, 2.0, 0.5], 1),
        ],
    )
    def test_auto(self, monitor: str, metric: Any, values: list[float], stop: int) -> None:
        """Losses and errors fall, accuracies rise."""
        callback = {"kind": "early_stopping", "monitor": monitor, "patience": 1}
        spec = pipeline(training__epochs=5, callbacks=[callback], metrics=["f1", metric])
        trace = fit_trace(pipeline(training__epochs=3), logs=[{monitor: value} for value in values])
        found = judged("early_stopping_follows_automaton", spec, with_stop(trace, STOPPED))
        assert found is not None
        assert found.expected == f"last epoch {stop}"

    def test_unknown(self) -> None:
        """A metric of unknown meaning needs a mode."""
        callback = {"kind": "early_stopping", "monitor": "val_f1"}
        spec = pipeline(callbacks=[callback], metrics=["f1"])
        with pytest.raises(NothingToJudge, match="mode must be min or max"):
            judged("early_stopping_follows_automaton", spec, fit_trace(spec))


class TestPlateau:
    """`plateau_follows_automaton`."""

    VALUES = (3.0, 2.0, 2.0, 2.0, 2.0)

    def spec(self, **arguments: Any) -> PipelineSpec:
        """Return a pipeline with one plateau callback."""
        callback = {"kind": "reduce_lr_on_plateau", "patience": 2, "factor": 0.5, **arguments}
        return pipeline(training__epochs=5, callbacks=[callback])

    def trace(self, rates: Sequence[float | None], values: Sequence[float] = VALUES) -> Trace:
        """Return a run that had these rates after its epochs."""
        trace = run(self.spec(), values, StopReason.COMPLETED)
        for number, rate in enumerate(rates):
            trace = with_epoch(trace, number, learning_rate=rate)
        return trace

    def test_right(self) -> None:
        """The rate halves after two epochs without improvement."""
        trace = self.trace([0.125, 0.125, 0.125, 0.0625, 0.0625])
        assert judged("plateau_follows_automaton", self.spec(), trace) is None

    def test_too_late(self) -> None:
        """A rate that falls an epoch late is found."""
        trace = self.trace([0.125, 0.125, 0.125, 0.125, 0.0625])
        found = judged("plateau_follows_automaton", self.spec(), trace)
        assert found is not None
        assert found.message == "epoch 3: learning_rate is 0.125, expected 0.0625, allowed ±0"
        assert found.epoch == 3

    def test_nan_first(self) -> None:
        """A NaN in the first epoch must not make every later one a plateau."""
        trace = self.trace([0.125, 0.125, 0.0625, 0.0625, 0.0625], [math.nan, 3.0, 2.0, 1.0, 0.5])
        found = judged("plateau_follows_automaton", self.spec(), trace)
        assert found is not None
        assert found.epoch == 2

    def test_held_in_float32(self) -> None:
        """A rate is rounded as the variable that holds it rounds it, or not at all."""
        spec = self.spec(factor=0.1, min_lr=0.01)
        single, double = float(np.float32(0.0125)), 0.0125
        for low in (single, double):
            trace = self.trace([0.125, 0.125, 0.125, low, low])
            assert judged("plateau_follows_automaton", spec, trace) is None
        trace = self.trace([0.125, 0.125, 0.125, double, np.nextafter(double, 1.0)])
        assert judged("plateau_follows_automaton", spec, trace) is not None

    def test_without_epochs(self) -> None:
        """A run that ended in its first epoch has no rate to judge."""
        trace = replace(self.trace([]), epochs=())
        assert judged("plateau_follows_automaton", self.spec(), trace) is None

    @pytest.mark.parametrize(
        "changes",
        [
            {"callbacks": []},
            {"callbacks": [{"kind": "reduce_lr_on_plateau"}, {"kind": "step_decay"}]},
            {"callbacks": [{"kind": "step_decay"}]},
            {"optimizer": {"kind": "import", "import": "mine:optimizer"}},
            {"optimizer__learning_rate": {"kind": "callable", "value": 0.1}},
        ],
    )
    def test_nothing_to_judge(self, changes: dict[str, Any]) -> None:
        """The callback must be there, alone, over a plain rate."""
        plateau = {"kind": "reduce_lr_on_plateau"}
        spec = pipeline(**{"callbacks": [plateau], **changes})
        with pytest.raises(NothingToJudge, match="one reduce_lr_on_plateau and nothing else"):
            judged("plateau_follows_automaton", spec, self.trace([]))
