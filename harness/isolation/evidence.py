"""What was seen of a process until it ended: the material for its stop reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from harness.trace.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.trace.journal import Entry

__all__ = ["EndedBy", "Evidence", "Limits", "Place", "place_in"]


class EndedBy(StrEnum):
    """What made the watch end a process."""

    MEMORY = "memory"
    DEADLINE = "deadline"
    STALL = "stall"
    START = "start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a watched process may take; None is as much as it likes.

    Attributes:
        memory_bytes: Memory that it and its children may hold beyond what it held when it was
            ready.
        wall_seconds: From then on.
        stall_seconds: Longest time in which it says nothing into its journal.
        start_seconds: Until it is ready.
    """

    memory_bytes: int | None = None
    wall_seconds: float | None = None
    stall_seconds: float | None = None
    start_seconds: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that is known of a process that has ended.

    Attributes:
        status: As `subprocess.Popen.returncode` has it: below 0 minus the signal; None where nobody
            could ask.
        ended_by: Why the watch ended it; None where it ended otherwise.
        limits: What it was allowed.
        seconds: From ready to its end, or from its start where it never was ready.
        held_bytes: Most memory of its own that it and its children held, beyond what it held when
            it was ready.
        peak_bytes: Most resident memory of it and its children.
        kernel_kills: Processes that the kernel killed for want of memory meanwhile; None where the
            kernel does not tell.
        stalled_cpu_seconds: Processor time that it took while it said nothing.
        output: End of what it wrote to standard error, native libraries included.
        stacks: All Python stacks when the watch gave up on it.
        journal: What it said.
    """

    status: int | None
    ended_by: EndedBy | None = None
    limits: Limits = field(default_factory=Limits)
    seconds: float = 0.0
    held_bytes: int = 0
    peak_bytes: int = 0
    kernel_kills: int | None = None
    stalled_cpu_seconds: float | None = None
    output: str = ""
    stacks: str = ""
    journal: Journal = field(default_factory=Journal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far a training came, as its journal has it.

    Attributes:
        phase: ``build``, ``train`` or ``after``; None where it says nothing.
        epoch: Last epoch that began.
        batch: Batch of that epoch that was running; None between two.
        step: Row of the last step that was done.
        inside: The callback hook that was running: ``callback``, ``hook`` and ``location``.
    """

    phase: str | None = None
    epoch: int | None = None
    batch: int | None = None
    step: int | None = None
    inside: Entry | None = None

    @property
    def sentence(self) -> str:
        """Where it was, to follow "it ended": ``in on_epoch_end of Sleeper``."""
        if self.inside is not None:
            return f"in {self.inside['hook']} of {self.inside['callback']}"
        if self.batch is not None:
            return f"in batch {self.batch} of epoch {self.epoch}"
        words = {"build": "while it was built", "after": "after the training"}
        return words.get(self.phase or "", "" if self.phase is None else "between two batches")


def place_in(entries: Sequence[Entry]) -> Place:
    """How far a training came.

    Args:
        entries: Records of its journal.
    """
    phase, epoch, batch, step = None, None, None, None
    inside: list[Entry] = []
    for entry in entries:
        match entry["kind"]:
            case "phase":
                phase = entry["name"]
            case "epoch_begin":
                epoch, batch = entry["epoch"], None
            case "epoch_end":
                batch = None
            case "batch_begin":
                batch = entry["batch"]
            case "step":
                step = 0 if step is None else step + 1
            case "batch_end":
                batch = None
            case "enter":
                inside.append(entry)
            case "leave" if inside:
                inside.pop()
    return Place(
        phase=phase, epoch=epoch, batch=batch, step=step, inside=inside[-1] if inside else None
    )
