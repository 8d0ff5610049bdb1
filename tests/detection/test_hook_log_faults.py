"""Hooks of one epoch that are told different things are found."""

from dataclasses import replace

import pytest

from harness.invariants import NothingToJudge
from harness.trace import Event
from tests.invariants.faults import judged
from tests.invariants.traces import fit_trace, pipeline


def told(name: str, epoch: int | None = None, **logs: float) -> Event:
    """Return a hook that was told these figures."""
    detail = {f"logs.{key}": value for key, value in logs.items()}
    return Event(kind="hook", name=name, epoch=epoch, detail=detail)


def fault(*events: Event) -> str | None:
    """Return the message for a run with these hooks."""
    spec = pipeline()
    found = judged("hook_logs_agree", spec, replace(fit_trace(spec), events=events))
    return None if found is None else found.message


def epoch(number: int, *, batch: float = 2.0, held_out: float = 4.0, **logs: float) -> list[Event]:
    """Return the hooks of one epoch with a validation."""
    return [
        told("on_epoch_begin", number),
        told("on_train_batch_end", number, loss=3.0),
        told("on_train_batch_end", number, loss=batch),
        told("on_test_batch_end", number, loss=held_out),
        told("on_epoch_end", number, **({"loss": 2.0, "val_loss": 4.0} | logs)),
    ]


def test_all_agree() -> None:
    """An epoch without batches or validation claims nothing of them; more logs do not matter."""
    plain = [told("on_epoch_begin", 2), told("on_epoch_end", 2, loss=1.0)]
    assert (
        fault(*epoch(0), *epoch(1, mae=1.0), *plain, told("on_train_end", None, loss=1.0)) is None
    )
    assert fault(told("on_train_end", None, loss=1.0)) is None


def test_epoch_of_another_batch() -> None:
    """An epoch that reports something else than its last batch is found."""
    message = fault(*epoch(0, loss=2.5))
    assert message is not None
    assert "on_epoch_end.loss is 2.5, expected 2," in message


def test_stale_validation() -> None:
    """A validation that is not that of the epoch, and one that is left out, are found."""
    message = fault(*epoch(0), *epoch(1, held_out=5.0))
    assert message is not None
    assert "on_epoch_end.val_loss is 4, expected 5," in message
    left_out = [told("on_test_batch_end", 0, loss=4.0), told("on_epoch_end", 0, loss=2.0)]
    assert fault(*left_out) == (
        "on_epoch_end is not told val_loss, which is in what the last batch of its validation "
        "ended with"
    )


def test_end_without_validation() -> None:
    """An end of training that is told less than the last epoch is found."""
    assert fault(*epoch(0), told("on_train_end", None, loss=2.0)) == (
        "on_train_end is not told val_loss, which is in what the last epoch ended with"
    )


def test_nobody_looked() -> None:
    """Without logs of hooks there is nothing to judge."""
    with pytest.raises(NothingToJudge, match="hooks must be recorded with logs"):
        fault(told("on_train_begin"))
