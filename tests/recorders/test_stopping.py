from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.pipeline.loops import LoopEnd
from harness.recorders.stopping import Plan, classify
from harness.recorders.watch import CallbackWatch, Request
from harness.trace import EpochRecord, Stop, StopReason

PLAN = Plan(epochs=2, steps_per_epoch=4, drawn_batches=8)


def epoch(number: int, steps: int) -> EpochRecord:
    """Return a record of an epoch with so many steps."""
    first = 4 * number
    return EpochRecord(
        epoch=number, steps=steps, logs={}, first_step=first, stop_step=first + steps, rss_bytes=0
    )


def request(*bases: str) -> Request:
    """Return what a callback with these bases did."""
    return Request(
        callback=bases[0], bases=bases, hook="on_epoch_end", location="file.py:3", epoch=1
    )


def stop(**given: Any) -> Stop:
    """Return the classification of a run that ended well but for what is given."""
    arguments = {
        "plan": PLAN,
        "end": LoopEnd(),
        "error": None,
        "watch": CallbackWatch(epoch=1),
        "epochs": (epoch(0, 4), epoch(1, 4)),
        "steps": 8,
    }
    return classify(**{**arguments, **given})


def test_all_planned_epochs_are_completed() -> None:
    """The plan is part of the evidence."""
    assert stop() == Stop(
        reason=StopReason.COMPLETED,
        evidence="2 of 2 epochs",
        epoch=1,
        step=7,
        planned_epochs=2,
        planned_steps=8,
    )


def test_a_short_epoch_is_exhaustion_even_if_keras_went_on() -> None:
    """The evidence names planned and real numbers."""
    found = stop(plan=replace(PLAN, drawn_batches=6), epochs=(epoch(0, 4), epoch(1, 2)), steps=6)
    assert found.reason is StopReason.DATA_EXHAUSTED
    assert found.evidence == (
        "epoch 1 got 2 of 4 planned batches, 6 of 8 steps in all; the source gave 6 batches"
    )


def test_training_on_more_batches_than_were_drawn_is_exhaustion() -> None:
    """Keras replays the batches it has peeked at; the plan is met with old data."""
    found = stop(plan=replace(PLAN, drawn_batches=4))
    assert (found.reason, found.evidence) == (
        StopReason.DATA_EXHAUSTED,
        "the source ended after 8 steps; the source gave 4 batches",
    )


def test_a_source_that_ended_before_an_unknown_plan() -> None:
    """There is nothing to compare with, but the loop asked in vain."""
    plan = Plan(epochs=1, steps_per_epoch=None, drawn_batches=None)
    found = stop(plan=plan, end=LoopEnd(ran_out=True), epochs=(epoch(0, 3),), steps=3)
    assert (found.reason, found.evidence) == (
        StopReason.DATA_EXHAUSTED,
        "the source ended after 3 steps",
    )
    assert found.planned_steps is None


def test_the_loops_own_budget_comes_before_exhaustion() -> None:
    """It cut the epoch short itself."""
    found = stop(end=LoopEnd(reached_max_steps=True), epochs=(epoch(0, 4), epoch(1, 1)))
    assert (found.reason, found.evidence) == (
        StopReason.MAX_STEPS,
        "The loop's own condition became false",
    )


@pytest.mark.parametrize(
    ("bases", "reason"),
    [
        (("Patient", "EarlyStopping"), StopReason.EARLY_STOPPING),
        (("TerminateOnNaN",), StopReason.NON_FINITE),
        (("Mine", "Callback"), StopReason.CALLBACK_REQUEST),
    ],
)
def test_a_request_is_classified_by_who_made_it(bases: tuple[str, ...], reason: StopReason) -> None:
    """The first one counts; subclasses are what they inherit from."""
    found = stop(watch=CallbackWatch(stops=[request(*bases), request("Later")], epoch=1))
    assert found.reason is reason
    assert found.evidence == f"on_epoch_end of {bases[0]} set model.stop_training"
    assert (found.callback, found.location) == (bases[0], "file.py:3")


class ResourceExhaustedError(Exception):
    """Named as TensorFlow names it."""


@pytest.mark.parametrize(
    ("error", "reason", "evidence"),
    [
        (MemoryError("no"), StopReason.OUT_OF_MEMORY, "MemoryError was raised"),
        (
            ResourceExhaustedError("oom"),
            StopReason.OUT_OF_MEMORY,
            "ResourceExhaustedError was raised",
        ),
        (KeyboardInterrupt(), StopReason.INTERRUPTED, "KeyboardInterrupt"),
        (ValueError("no"), StopReason.ERROR, "ValueError was raised"),
    ],
)
def test_an_exception_outside_of_callbacks(
    error: BaseException, reason: StopReason, evidence: str
) -> None:
    """Type and message are kept; nobody is blamed."""
    found = stop(error=error, end=None)
    assert (found.reason, found.evidence, found.callback) == (reason, evidence, None)
    assert found.exception == f"{type(error).__name__}: {error}"


def test_an_exception_of_a_callback_names_it() -> None:
    """Unless it is one that says more: memory, or the person at the keyboard."""
    watch = CallbackWatch(failure=request("Mine"), epoch=1)
    found = stop(error=ValueError("no"), end=None, watch=watch)
    assert (found.reason, found.callback, found.location) == (
        StopReason.CALLBACK_ERROR,
        "Mine",
        "file.py:3",
    )
    assert found.evidence == "on_epoch_end of Mine raised ValueError"
    assert stop(error=MemoryError(), end=None, watch=watch).reason is StopReason.OUT_OF_MEMORY


def test_a_run_that_never_began_has_no_epoch_and_no_step() -> None:
    """Nothing is claimed that did not happen."""
    found = stop(error=ValueError("no"), end=None, epochs=(), steps=0)
    assert (found.epoch, found.step) == (None, None)
