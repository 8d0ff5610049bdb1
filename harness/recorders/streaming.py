"""Says what a run does while it does it, so that a run that dies leaves every step it has done.

Steps are rows of tables that a graph fills. Between two steps of a loop in Python the new rows
are read and sent; the graph stays as it is. Only a loop that is a graph itself sends each row from
inside, by a call into Python.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.trace._record import items_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from harness.recorders.watch import Request
    from harness.trace import EpochRecord, Event
    from harness.trace.journal import JournalWriter

__all__ = ["Events", "Stream"]


@dataclass(slots=True)
class Stream:
    """Where a run's journal gets its records from.

    Attributes:
        journal: Gets the records.
        in_graph: Steps follow each other without Python in between.
        sent: Steps sent so far.
    """

    journal: JournalWriter
    in_graph: bool = False
    sent: int = 0

    def send(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Send one step, given as columns of length one."""
        self.sent += 1
        self.journal.write("step", **{name: values[0] for name, values in columns.items()})

    def rewind(self, rows: int) -> None:
        """Say that only the first so many steps count."""
        self.sent = rows
        self.journal.write("rewind", steps=rows)

    def end_epoch(self, record: EpochRecord) -> None:
        """Send the record of an epoch."""
        self.journal.write("epoch_end", **_fields(record))

    def enter(self, hook: Request) -> None:
        """Say which callback hook runs now."""
        self.journal.write("enter", callback=hook.callback, hook=hook.hook, location=hook.location)


class Events(list["Event"]):
    """Events of a run, each sent as it is added."""

    def __init__(self, journal: JournalWriter) -> None:
        """No events yet."""
        super().__init__()
        self._journal = journal

    def append(self, event: Event, /) -> None:
        """Add and send one."""
        super().append(event)
        self._journal.write("event", **_fields(event))


def _fields(record: EpochRecord | Event) -> dict[str, Any]:
    return {
        # `kind` is the journal's own word.
        "event" if name == "kind" else name: dict(value) if hasattr(value, "keys") else value
        for name, value in items_of(record)
    }
