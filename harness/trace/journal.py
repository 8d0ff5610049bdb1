"""What a run says while it happens: one record a line, so that a run that dies leaves all it said.

Each record is one `os.write` to a file that is open for appending, so none is ever mixed with
another, and none is lost that was written before the process died. A record is one JSON object in
ASCII with its ``kind``; NaN and infinities are written as Python reads them. Which kinds there
are is up to who writes. Those of a training are:

===============  ==================================================================
``ready``        set-up is done, clocks start; ``held_bytes`` of private memory
``environment``  ``values``: the fields of an `Environment`
``phase``        ``name``: ``build``, ``train`` or ``after``; ``planned_epochs``, ``planned_steps``
``epoch_begin``  ``epoch``
``epoch_end``    the fields of an `EpochRecord`
``batch_begin``  ``batch``
``batch_end``    the batch that began is done
``step``         columns of a `StepTable`, as far as they are known
``rewind``       ``steps``: only the first so many count
``event``        the fields of an `Event`, its kind as ``event``
``enter``        ``callback``, ``hook`` and ``location`` of the callback hook that runs now
``leave``        the innermost hook has returned
``raised``       ``type``, ``message``, ``location``: what ended the training from inside
``exit``         ``call``, ``status``, ``location``: the process is about to end itself
``refused``      ``type``, ``message``, ``notes``: what the user must mend
``crashed``      ``text``: a fault of our own
``done``         the trace is written as a whole
===============  ==================================================================
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.errors import TraceFormatError

__all__ = ["Journal", "JournalWriter", "parse_journal", "read_journal"]

Entry = dict[str, Any]


class JournalWriter:
    """Writes records to an open file; only in the process that made it.

    A process that is forked off later inherits the object and writes nothing: what it does is
    not what the run does.
    """

    def __init__(self, descriptor: int) -> None:
        """Append to an open file, which stays the caller's to close."""
        self._descriptor = descriptor
        self._owner = os.getpid()

    def write(self, kind: str, **values: Any) -> None:
        """Append one record.

        Raises:
            OSError: The disk is full, or the file is closed.
        """
        if os.getpid() != self._owner:
            return
        text = json.dumps({"kind": kind, **values}, default=_plain, separators=(",", ":"))
        rest = memoryview(f"{text}\n".encode("ascii"))
        while rest:
            # A signal may cut a write short, on a disk that is nearly full it may be anything.
            rest = rest[os.write(self._descriptor, rest) :]


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """What was read.

    Attributes:
        entries: The records, in the order in which they were written.
        damaged: What stands behind the last whole record: the process died while it wrote it.
    """

    entries: tuple[Entry, ...] = ()
    damaged: str | None = None

    def of(self, *kinds: str) -> tuple[Entry, ...]:
        """The records of these kinds, in order."""
        return tuple(entry for entry in self.entries if entry["kind"] in kinds)

    def last(self, kind: str) -> Entry | None:
        """The last record of a kind."""
        return next((entry for entry in reversed(self.entries) if entry["kind"] == kind), None)


def read_journal(descriptor: int) -> Journal:
    """Read an open file from its beginning, wherever it is being written.

    Raises:
        TraceFormatError: A record before the last one is damaged.
    """
    parts, offset = [], 0
    while part := os.pread(descriptor, 1 << 20, offset):
        parts.append(part)
        offset += len(part)
    return parse_journal(b"".join(parts))


def parse_journal(data: bytes) -> Journal:
    """Decode the records of a journal; the last one may be cut short, which is said.

    Raises:
        TraceFormatError: A record before the last one is damaged.
    """
    *lines, rest = data.split(b"\n")
    entries: list[Entry] = []
    for number, line in enumerate(lines, 1):
        entry = _entry(line)
        if entry is None and number == len(lines) and not rest:
            rest = line
        elif entry is None:
            message = (
                f"line {number} of a journal must be a JSON object with a kind, "
                f"got {_shown(line)!r}. Run it again: something else wrote into the file."
            )
            raise TraceFormatError(message)
        else:
            entries.append(entry)
    return Journal(entries=tuple(entries), damaged=_shown(rest) if rest else None)


def _entry(line: bytes) -> Entry | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and isinstance(entry.get("kind"), str) else None


def _shown(line: bytes) -> str:
    return line[:80].decode("ascii", "replace")


def _plain(value: object) -> object:
    """NumPy's scalars and arrays; of anything else its text, for a journal must not fail a run."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    return str(value)
