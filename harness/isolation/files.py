"""Open files without a name: whoever dies, and however, the kernel takes them back."""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO, Self

__all__ = ["RunFiles"]


@dataclass(frozen=True, slots=True)
class RunFiles:
    """What a run and its watcher share; close it when the run has been judged.

    Attributes:
        task: What to run; the watcher writes it.
        journal: What happens; the run appends to it.
        result: The whole trace; the run writes it.
        heard: Reading end of the pipe that is the run's standard error.
        said: Its writing end; the watcher closes its copy once the run has its own.
    """

    task: IO[bytes]
    journal: IO[bytes]
    result: IO[bytes]
    heard: IO[bytes]
    said: IO[bytes]

    @classmethod
    def make(cls) -> Self:
        """Open all of them.

        Raises:
            OSError: There is no room for temporary files.
        """
        with ExitStack() as stack:
            task, journal, result = (
                stack.enter_context(tempfile.TemporaryFile()) for _ in range(3)
            )
            flags = fcntl.fcntl(journal, fcntl.F_GETFL)
            fcntl.fcntl(journal, fcntl.F_SETFL, flags | os.O_APPEND)
            reading, writing = os.pipe()
            heard = stack.enter_context(open(reading, "rb", buffering=0))  # noqa: PTH123 - no path
            said = stack.enter_context(open(writing, "wb", buffering=0))  # noqa: PTH123 - no path
            stack.pop_all()
            return cls(task, journal, result, heard, said)

    @property
    def for_run(self) -> tuple[int, int, int, int]:
        """Descriptors that the run gets: task, journal, result, standard error."""
        return (
            self.task.fileno(),
            self.journal.fileno(),
            self.result.fileno(),
            self.said.fileno(),
        )

    def handed_over(self) -> None:
        """The run has its own copies: close what only it writes to."""
        self.said.close()

    def __enter__(self) -> Self:
        """Nothing to do."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close whatever is open."""
        for file in (self.task, self.journal, self.result, self.heard, self.said):
            file.close()
