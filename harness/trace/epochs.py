"""One record for each epoch that ended."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.errors import HarnessUsageError
from harness.trace._record import Record, assign, frozen_numbers, number, optional_whole, whole


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EpochRecord(Record):
    """One epoch, as it stood when it ended.

    Attributes:
        epoch: Its number, from 0, or from `initial_epoch` where training was resumed.
        steps: Train-step calls in it.
        logs: Everything that was handed to ``on_epoch_end``, ``val_*`` included.
        first_step: First row of it in the step table.
        stop_step: Row after its last.
        drawn_batches: Batches the source handed out in it, where that was counted.
        rss_bytes: Resident memory of the process at its end.
        learning_rate: The optimizer's rate at its end.

    Raises:
        HarnessUsageError: A count is negative, a log is no number, or the rows run backwards.
    """

    epoch: int
    steps: int
    logs: Mapping[str, float]
    first_step: int
    stop_step: int
    rss_bytes: int
    drawn_batches: int | None = None
    learning_rate: float | None = None

    def __post_init__(self) -> None:
        """Convert counts and numbers, and freeze the logs."""
        rate = self.learning_rate
        assign(
            self,
            epoch=whole("epoch", self.epoch, minimum=0),
            steps=whole("steps", self.steps, minimum=0),
            logs=frozen_numbers("logs", self.logs),
            first_step=whole("first_step", self.first_step, minimum=0),
            stop_step=whole("stop_step", self.stop_step, minimum=0),
            rss_bytes=whole("rss_bytes", self.rss_bytes, minimum=0),
            drawn_batches=optional_whole("drawn_batches", self.drawn_batches),
            learning_rate=None if rate is None else number("learning_rate", rate),
        )
        if self.stop_step < self.first_step:
            message = (
                f"stop_step must be at least first_step = {self.first_step}, got {self.stop_step}."
            )
            raise HarnessUsageError(message)

    @property
    def rows(self) -> slice:
        """Its rows in the step table, the state table and the gradient table."""
        return slice(self.first_step, self.stop_step)
