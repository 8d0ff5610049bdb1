"""The clock hears the steps that it times, and nothing makes Keras wait where it must not."""

from __future__ import annotations

from typing import Any

import pytest

from harness.benchmark import clock
from harness.benchmark.clock import Clock


def hooks(callbacks: list[Any], *calls: tuple[str, Any]) -> None:
    """Call hooks of all callbacks in their order, as Keras does."""
    for name, argument in calls:
        for callback in callbacks:
            getattr(callback, name)(argument, {"loss": 0.5} if name.endswith("end") else None)


class Hand:
    """The hand of a clock, moved by the test."""

    seconds = 0.0

    def perf_counter(self) -> float:
        """Where it stands."""
        return self.seconds


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> Hand:
    """Time goes on when the test says so."""
    hand = Hand()
    monkeypatch.setattr(clock, "time", hand)
    return hand


def test_a_run_lasts_from_its_first_step_to_the_end_of_its_epoch(hand: Hand) -> None:
    """What comes before the first step is not timed."""
    subject = Clock()
    callbacks = subject.around([])

    hooks(callbacks, ("on_epoch_begin", 0))
    hand.seconds = 5.0
    hooks(callbacks, ("on_train_batch_begin", 0), ("on_train_batch_end", 0))
    hand.seconds = 7.0
    hooks(callbacks, ("on_train_batch_begin", 1), ("on_train_batch_end", 1))
    hand.seconds = 8.0
    hooks(callbacks, ("on_epoch_end", 0))

    assert subject.seconds == 3.0
    assert subject.executions == 2
    assert subject.step_seconds == []
    assert subject.loss == 0.5


@pytest.mark.parametrize(("whole", "seconds"), [(False, 1.0), (True, 111.0)])
def test_a_whole_epoch_has_the_other_callbacks_in_it(
    hand: Hand, *, whole: bool, seconds: float
) -> None:
    """An epoch lasts from before the first callback to after the last, steps alone do not."""
    import keras

    class Slow(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, *_: Any) -> None:
            hand.seconds += 10.0

        def on_epoch_end(self, *_: Any) -> None:
            hand.seconds += 100.0

    subject = Clock()
    subject.start(whole_epoch=whole)
    callbacks = subject.around([Slow()])
    hooks(callbacks, ("on_epoch_begin", 0), ("on_train_batch_begin", 0))
    hand.seconds += 1.0
    hooks(callbacks, ("on_epoch_end", 0))

    assert subject.seconds == seconds


def test_single_steps_are_heard_only_where_they_are_timed(hand: Hand) -> None:
    """A callback that hears the end of a batch makes Keras wait for the device each time."""
    import keras

    subject = Clock()
    default = keras.callbacks.Callback.on_train_batch_end

    def listening() -> list[bool]:
        return [type(callback).on_train_batch_end is not default for callback in subject.around([])]

    assert not any(listening())
    subject.start(each_step=True)
    assert any(listening())

    callbacks = subject.around([])
    for step, seconds in enumerate((2.0, 3.0)):
        hooks(callbacks, ("on_train_batch_begin", step))
        hand.seconds += seconds
        hooks(callbacks, ("on_train_batch_end", step))
    assert subject.step_seconds == [2.0, 3.0]


def test_the_device_is_waited_for_at_both_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work that was only queued would otherwise be timed as done, or as somebody else's."""
    waited: list[Any] = []
    monkeypatch.setattr(clock, "synchronise", lambda value=None: waited.append(value))
    subject = Clock()

    subject.on_epoch_begin(0)
    subject.on_epoch_end(0, {"loss": 2.0})

    assert waited == [None, {"loss": 2.0}]
    assert subject.executions is None
    assert subject.loss == 2.0
