"""What happened besides numbers: hook calls, warnings, decisions of callbacks."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.trace._record import Detail, Record, assign, frozen_details, optional_whole


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Event(Record):
    """One thing that happened, in order of time within its trace.

    Attributes:
        kind: ``hook`` for a callback hook that was called, ``warning``, ``callback`` for a
            decision that a callback took, ``source`` for a hook of the data source, ``memory``
            for what was counted after a batch or an epoch.
        epoch: Epoch it happened in; None outside of all epochs.
        step: Row of the step table it happened at; None outside of all steps.
        name: Which one: ``on_train_batch_end``, the category of a warning, a callback's name.
        detail: What else is known of it: ``{"batch": 3}``.

    Raises:
        HarnessUsageError: A detail is neither text nor a number, or a count is negative.
    """

    kind: str
    name: str
    epoch: int | None = None
    step: int | None = None
    detail: Mapping[str, Detail] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Convert the counts and freeze the detail."""
        assign(
            self,
            epoch=optional_whole("epoch", self.epoch),
            step=optional_whole("step", self.step),
            detail=frozen_details(f"detail of {self.name}", self.detail),
        )
