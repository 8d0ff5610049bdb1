"""A run that reports each step to somebody else, so that it can be seen whether one is lost."""

from __future__ import annotations

import os
from typing import Any

import keras


def reporter(path: str) -> Any:
    """Writes the number of steps done into a file, in place."""

    class Reporter(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002
            self.file = os.open(path, os.O_WRONLY | os.O_CREAT)
            self.steps = 0

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
            self.steps += 1
            os.pwrite(self.file, b"%8d" % self.steps, 0)

    return Reporter()
