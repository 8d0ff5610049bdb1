"""What a source has handed out, counted where it happens."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.pipeline.values import read_value

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Tally"]


@dataclass(slots=True)
class Tally:
    """What a source has handed out so far, and the hooks that were called on it.

    Attributes:
        batches: Batches drawn from the source.
        samples: Examples in them.
        hooks: What else happened to it, in order: ``on_epoch_begin`` and ``on_epoch_end`` of a
            PyDataset were called, a generator was ``exhausted``, a function began a ``pass``.
        counter: Batches and examples counted inside a graph.
        listener: Told at once about each hook and each batch, in whichever thread it happens.
        fails_at: The batch at which the source raises, counted from 1.
    """

    batches: int = 0
    samples: int = 0
    hooks: list[str] = field(default_factory=list)
    counter: Any = None
    listener: Callable[..., None] | None = None
    fails_at: int | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, size: int, **detail: int) -> None:
        """Note one batch of `size` examples; several threads may draw at once.

        Raises:
            ValueError: The source was to fail at this batch.
        """
        with self._lock:
            if self.fails_at is not None and self.batches + 1 >= self.fails_at:
                message = f"the source raised on purpose at batch {self.fails_at}"
                raise ValueError(message)
            self.batches += 1
            self.samples += size
            number = self.batches
        self.tell("batch", number=number, **detail)

    def call(self, hook: str) -> None:
        """Note a hook of the source."""
        self.hooks.append(hook)
        self.tell(hook)

    def tell(self, name: str, **detail: int) -> None:
        """Tell the listener, where there is one."""
        if self.listener is not None:
            self.listener(name, **detail)

    def settle(self) -> None:
        """Take over what was counted inside a graph."""
        if self.counter is not None:
            batches, samples = read_value(self.counter)
            self.batches, self.samples = int(batches), int(samples)
