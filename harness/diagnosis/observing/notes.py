"""The journal as the observer uses it: from any thread, and silent once it has failed."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from harness.trace.journal import JournalWriter

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Notes"]


class Notes:
    """Writes records; observing must never be what ends a script.

    Attributes:
        alive: Whether the journal still takes records.
    """

    def __init__(self, descriptor: int) -> None:
        """Append to an open file.

        Args:
            descriptor: Of the file.
        """
        self._writer = JournalWriter(descriptor)
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self.alive = True

    def write(self, kind: str, **values: Any) -> None:
        """Append one record with the seconds since the observer began."""
        if not self.alive:
            return
        with self._lock:
            try:
                self._writer.write(kind, at=round(time.monotonic() - self._started, 4), **values)
            except OSError:
                # A full disk costs the observation, not the training.
                self.alive = False

    @contextmanager
    def sparing(self, what: str) -> Iterator[None]:
        """Observe within it: what goes wrong there is written down, and the script goes on.

        Args:
            what: Is observed.
        """
        try:
            yield
        except Exception as error:  # noqa: BLE001 - the script must not notice that it is watched
            self.write("blind", what=what, error=f"{type(error).__name__}: {error}"[:500])
