"""Why training ended, as an enumeration with evidence."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from harness.errors import HarnessUsageError
from harness.trace._record import Record, assign, optional_whole


class StopReason(StrEnum):
    """Why training ended."""

    COMPLETED = "completed"
    MAX_STEPS = "max_steps"
    EARLY_STOPPING = "early_stopping"
    CALLBACK_REQUEST = "callback_request"
    CALLBACK_ERROR = "callback_error"
    DATA_EXHAUSTED = "data_exhausted"
    NON_FINITE = "non_finite"
    OUT_OF_MEMORY = "out_of_memory"
    KILLED = "killed"
    TIMED_OUT = "timed_out"
    INTERRUPTED = "interrupted"
    ERROR = "error"

    @property
    def sentence(self) -> str:
        """What happened, as a sentence for people."""
        return _SENTENCES[self]


_SENTENCES: Final = {
    StopReason.COMPLETED: "Training ran all the epochs it was asked for.",
    StopReason.MAX_STEPS: "Training reached its limit on steps.",
    StopReason.EARLY_STOPPING: "Early stopping ended training: its metric stopped improving.",
    StopReason.CALLBACK_REQUEST: "A callback asked training to stop.",
    StopReason.CALLBACK_ERROR: "A callback ended training with an error.",
    StopReason.DATA_EXHAUSTED: "The data ran out before the planned steps were done.",
    StopReason.NON_FINITE: "A loss or weight became NaN or infinite, and training was ended.",
    StopReason.OUT_OF_MEMORY: "Training ran out of memory.",
    StopReason.KILLED: "A signal killed the process.",
    StopReason.TIMED_OUT: "Training did not finish within its time limit.",
    StopReason.INTERRUPTED: "Somebody interrupted training.",
    StopReason.ERROR: "Training ended with an error.",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stop(Record):
    """Why and where training ended.

    Attributes:
        reason: Why, also accepted as text such as ``"completed"``.
        evidence: What was seen that proves the reason, for people.
        epoch: Last epoch that began, from 0; None when none did.
        step: Last row of the step table; None when no step ran.
        planned_epochs: Epochs that were asked for, where that is known.
        planned_steps: Steps that were asked for in all, where that is known.
        location: ``file:line`` of whoever asked for the stop.
        callback: Class name of the callback that asked, or that failed.
        exception: Type and message of the exception that ended training.

    Raises:
        HarnessUsageError: The reason is unknown, or a count is negative.
    """

    reason: StopReason
    evidence: str
    epoch: int | None = None
    step: int | None = None
    planned_epochs: int | None = None
    planned_steps: int | None = None
    location: str | None = None
    callback: str | None = None
    exception: str | None = None

    def __post_init__(self) -> None:
        """Convert the reason and the counts."""
        try:
            reason = StopReason(self.reason)
        except ValueError as error:
            known = ", ".join(StopReason)
            message = f"reason must be one of {known}, got {self.reason!r}."
            raise HarnessUsageError(message) from error
        assign(
            self,
            reason=reason,
            epoch=optional_whole("epoch", self.epoch),
            step=optional_whole("step", self.step),
            planned_epochs=optional_whole("planned_epochs", self.planned_epochs),
            planned_steps=optional_whole("planned_steps", self.planned_steps),
        )

    @property
    def sentence(self) -> str:
        """Reason, evidence, culprit and place in one line for people."""
        place = _joined(("epoch", self.epoch), ("step", self.step))
        culprit = _joined(("callback", self.callback), ("at", self.location))
        parts = (self.reason.sentence, self.evidence, culprit, self.exception, place)
        return " ".join(_ended(part) for part in parts if part)


def _joined(*parts: tuple[str, int | str | None]) -> str:
    text = ", ".join(f"{name} {value}" for name, value in parts if value is not None)
    return text[:1].upper() + text[1:]


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
