# ruff: noqa: INP001, TID253 - no package, and loaded by the scenarios that name it
"""Callbacks of one's own that end more than the training; scenarios show that they are named."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import keras

__all__ = ["ends_process", "is_killed", "waits_for_itself"]


def ends_process(epoch: int, batch: int) -> keras.callbacks.Callback:
    """Calls ``os._exit`` at the end of a batch, as clean-up code that went wrong does."""

    class EndsProcess(_AtBatch):
        def strike(self) -> None:
            os._exit(3)

    return EndsProcess(epoch, batch)


def is_killed(epoch: int, batch: int) -> keras.callbacks.Callback:
    """Gets the process killed at the end of a batch, as by a job scheduler."""

    class IsKilled(_AtBatch):
        def strike(self) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

    return IsKilled(epoch, batch)


def waits_for_itself(epoch: int, batch: int) -> keras.callbacks.Callback:
    """Takes a lock that it holds already, as a logger does that logs from its own hook."""

    class WaitsForItself(_AtBatch):
        def strike(self) -> None:
            lock = threading.Lock()
            with lock:
                lock.acquire()

    return WaitsForItself(epoch, batch)


class _AtBatch(keras.callbacks.Callback):  # type: ignore[misc]
    """Strikes once."""

    def __init__(self, epoch: int, batch: int) -> None:
        super().__init__()
        self.place = epoch, batch
        self.epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        if (self.epoch, batch) == self.place:
            self.strike()

    def strike(self) -> None:
        raise NotImplementedError
