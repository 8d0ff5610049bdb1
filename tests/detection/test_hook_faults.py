"""Hooks that come too often, too late or never are found."""

from dataclasses import replace

import pytest

from harness.invariants import NothingToJudge
from harness.trace import Event, StopReason, Trace
from tests.invariants.faults import judged, with_stop
from tests.invariants.traces import fit_trace, hook, pipeline


def with_events(trace: Trace, *events: Event) -> Trace:
    """Return the trace with other events."""
    return replace(trace, events=events)


class TestHooks:
    """`hooks_are_well_formed`."""

    def test_nobody_looked(self) -> None:
        """Without hooks there is nothing to judge."""
        spec = pipeline()
        with pytest.raises(NothingToJudge, match="hooks must be recorded to be judged"):
            judged("hooks_are_well_formed", spec, with_events(fit_trace(spec)))

    def fault(self, *events: Event, reason: StopReason = StopReason.COMPLETED) -> str | None:
        """Return the message for a run with these events."""
        spec = pipeline()
        trace = with_stop(with_events(fit_trace(spec), *events), reason)
        found = judged("hooks_are_well_formed", spec, trace)
        return None if found is None else found.message

    def whole(self, *inside: Event) -> list[Event]:
        """Return a training of one epoch with these events in it."""
        return [
            hook("on_train_begin"),
            hook("on_epoch_begin", 0),
            *inside,
            hook("on_epoch_end", 0),
            hook("on_train_end"),
        ]

    def batch(self, number: int, kind: str = "train") -> list[Event]:
        """Return begin and end of one batch."""
        names = (f"on_{kind}_batch_begin", f"on_{kind}_batch_end")
        return [hook(name, 0, number) for name in names]

    def test_validation_and_prediction(self) -> None:
        """Evaluation may come inside an epoch, and evaluation and prediction after training."""
        test = [hook("on_test_begin", 0), *self.batch(0, "test"), hook("on_test_end", 0)]
        predict = [hook("on_predict_begin"), *self.batch(0, "predict"), hook("on_predict_end")]
        events = [*self.whole(*self.batch(0), *test, *test), *test, *predict]
        assert self.fault(*events, hook("something_else")) is None

    def test_batch_without_end(self) -> None:
        """A batch that begins and never ends is found at what comes instead."""
        events = self.whole(*self.batch(0), hook("on_train_batch_begin", 0, 1))
        assert self.fault(*events) == "on_epoch_end in epoch 0 must wait for on_train_batch_end"

    def test_validation_inside_a_batch(self) -> None:
        """Nothing begins inside a batch."""
        events = self.whole(hook("on_train_batch_begin", 0, 0), hook("on_test_begin", 0))
        message = "on_test_begin in epoch 0 must not begin inside on_train_batch_begin"
        assert self.fault(*events) == message

    def test_epoch_outside(self) -> None:
        """Epochs belong to a training."""
        events = [hook("on_epoch_begin", 0)]
        assert self.fault(*events) == "on_epoch_begin in epoch 0 must begin inside training"

    def test_second_training(self) -> None:
        """A training begins once."""
        events = [*self.whole(), hook("on_train_begin")]
        assert self.fault(*events) == "on_train_begin outside of all epochs must come once"

    def test_end_without_begin(self) -> None:
        """Nothing ends that has not begun."""
        message = "on_train_end outside of all epochs must follow its own begin"
        assert self.fault(hook("on_train_end")) == message

    def test_batch_after_a_stop(self) -> None:
        """Once somebody has asked to stop no batch begins."""
        asked = Event(kind="stop_requested", name="SilentStopper", epoch=0)
        events = self.whole(*self.batch(0), asked, asked, *self.batch(1))
        message = "in epoch 0 must not come after SilentStopper asked to stop"
        found = self.fault(*events, reason=StopReason.CALLBACK_REQUEST)
        assert found == f"on_train_batch_begin(1) {message}"

    def test_batch_order(self) -> None:
        """Batch indices rise by one."""
        events = self.whole(*self.batch(0), *self.batch(2))
        assert self.fault(*events) == "on_train_batch_begin(2) in epoch 0 must name batch 1"

    def test_batch_end_index(self) -> None:
        """A batch does not end before it began."""
        events = self.whole(
            *self.batch(0), hook("on_train_batch_begin", 0, 1), hook("on_train_batch_end", 0, 0)
        )
        message = "on_train_batch_end(0) in epoch 0 must name batch 1 or a later one"
        assert self.fault(*events) == message

    def test_epoch_order(self) -> None:
        """Epochs rise by one, from wherever they begin."""
        events = self.whole()[:-1]
        more = [hook("on_epoch_begin", 2), hook("on_epoch_end", 2)]
        assert self.fault(*events, *more) == "on_epoch_begin in epoch 2 must name epoch 1"

    def test_epoch_end(self) -> None:
        """The epoch that ends is the one that began."""
        events = [hook("on_train_begin"), hook("on_epoch_begin", 0), hook("on_epoch_end", 1)]
        assert self.fault(*events) == "on_epoch_end in epoch 1 must name epoch 0"

    def test_training_without_end(self) -> None:
        """A training that ends by itself says so, one that broke off can't."""
        events = self.whole()[:-1]
        assert self.fault(*events) == "training ended (completed) without on_train_end"
        assert self.fault(*events, reason=StopReason.CALLBACK_ERROR) is None

    def test_training_without_begin(self) -> None:
        """A training without a begin is none."""
        events = [hook("on_test_begin"), hook("on_test_end")]
        assert self.fault(*events) == "training ended (completed) without on_train_begin"


class TestStepsBetweenHooks:
    """`hooks_are_well_formed`, where each batch says how many steps were run until then."""

    def fault(self, *batches: tuple[int, int], epochs: int = 1) -> str | None:
        """Return the message for epochs whose batches begin and end after so many steps."""
        events = [hook("on_train_begin")]
        for epoch in range(epochs):
            events.append(hook("on_epoch_begin", epoch))
            for batch, counts in enumerate(batches):
                for edge, steps in zip(("begin", "end"), counts, strict=True):
                    event = hook(f"on_train_batch_{edge}", epoch, batch)
                    events.append(replace(event, detail={"batch": batch, "steps": steps}))
            events.append(hook("on_epoch_end", epoch))
        spec = pipeline()
        trace = with_events(fit_trace(spec), *events, hook("on_train_end"))
        found = judged("hooks_are_well_formed", spec, trace)
        return None if found is None else found.message

    def test_in_time(self) -> None:
        """One step or several are run inside a batch; what an epoch begins with is not judged."""
        assert self.fault((0, 1), (1, 4), epochs=2) is None

    def test_begin_comes_too_late(self) -> None:
        """A batch that begins when its step is over prepares nobody for it."""
        message = (
            "on_train_batch_end(0) in epoch 0 must come after a step that on_train_batch_begin "
            "came before"
        )
        assert self.fault((1, 1), (2, 2)) == message

    def test_step_between_batches(self) -> None:
        """A step that no batch holds is seen by no callback."""
        message = "on_train_batch_begin(1) in epoch 0 must come after 1 steps, not 2"
        assert self.fault((0, 1), (2, 3)) == message
