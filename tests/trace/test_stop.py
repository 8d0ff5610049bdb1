"""Stop reasons and their sentences."""

import pytest

from harness.errors import HarnessUsageError
from harness.trace import Stop, StopReason


@pytest.mark.parametrize("reason", StopReason)
def test_every_reason_has_a_sentence(reason: StopReason) -> None:
    """Each reason is explained in a sentence of its own, and its value is its name."""
    assert reason.sentence.endswith(".")
    assert reason.value == reason.name.lower()


def test_reason_may_be_text() -> None:
    """The value of a reason stands for the reason."""
    assert Stop(reason="killed", evidence="signal 9").reason is StopReason.KILLED  # type: ignore[arg-type]


def test_unknown_reason_is_refused() -> None:
    """The message lists the known reasons."""
    with pytest.raises(HarnessUsageError, match=r"one of completed, .*, error, got 'bored'\."):
        Stop(reason="bored", evidence="")  # type: ignore[arg-type]


def test_sentence_names_culprit_and_place() -> None:
    """Everything known appears in one line."""
    stop = Stop(
        reason=StopReason.CALLBACK_ERROR,
        evidence="on_epoch_end raised",
        epoch=2,
        step=9,
        location="own.py:7",
        callback="Own",
        exception="ValueError: no!",
    )
    assert stop.sentence == (
        "A callback ended training with an error. on_epoch_end raised. Callback Own, at own.py:7. "
        "ValueError: no! Epoch 2, step 9."
    )


def test_sentence_leaves_out_what_is_unknown() -> None:
    """Without evidence only the reason remains."""
    assert Stop(reason=StopReason.TIMED_OUT, evidence="").sentence == (
        StopReason.TIMED_OUT.sentence
    )
