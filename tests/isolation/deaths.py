"""Ways in which a training process can die, for scenarios to name by ``import``."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = __file__

EPOCH, BATCH = 1, 1
"""Where the callback strikes; the step strikes one batch earlier, in its own step."""


def _fill() -> None:
    kept = []
    while True:
        # Ones, not zeros: pages that are never written never become resident.
        kept.append(np.ones(8 << 20, np.uint8))
        time.sleep(0.001)


def _new() -> None:
    """C++'s own allocation, which throws what nobody catches."""
    new = ctypes.CDLL("libstdc++.so.6")._Znwm
    new.argtypes, new.restype = [ctypes.c_size_t], ctypes.c_void_p
    new(1 << 60)


def _deadlock() -> None:
    lock = threading.Lock()
    with lock:
        lock.acquire()


def _raise(error: BaseException) -> None:
    raise error


def die(way: str, marker: str | None = None) -> None:
    """Die.

    Args:
        way: How.
        marker: File to make just before, for who has to know when.
    """
    if marker is not None:
        Path(marker).touch()
    ways: dict[str, Callable[[], object]] = {
        "exception": lambda: _raise(ValueError("no such thing")),
        "resource_exhausted": lambda: _raise(
            tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")
        ),
        "memory_error": lambda: np.ones(1 << 50, np.uint8),
        "large_allocation": lambda: np.ones(8 << 30, np.uint8),
        "bad_alloc": _new,
        "segmentation_fault": lambda: ctypes.string_at(0),
        "abort": os.abort,
        "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "terminated": lambda: os.kill(os.getpid(), signal.SIGTERM),
        "over_budget": _fill,
        "deadline": lambda: time.sleep(600),
        "deadlock": _deadlock,
        "sys_exit": lambda: sys.exit(3),
        "os_exit": lambda: os._exit(3),
        "native_exit": lambda: ctypes.CDLL(None)["_exit"](4),
        "interrupted": lambda: os.kill(os.getpid(), signal.SIGINT),
    }
    ways[way]()
    # A signal reaches Python between two of its instructions.
    time.sleep(600)


def model(way: str, place: str, marker: str | None = None) -> Any:
    """A model with one weight; where `place` is ``build`` it is never made."""
    if place == "build":
        die(way, marker)
    inputs = keras.Input((4,))
    return keras.Model(inputs, _layer(way, place, marker)(keras.layers.Dense(1)(inputs)))


def _layer(way: str, place: str, marker: str | None) -> Any:
    class Dying(keras.layers.Layer):  # type: ignore[misc]
        steps = 0

        def call(self, inputs: Any) -> Any:
            if place == "step" and isinstance(inputs, tf.Tensor) and hasattr(inputs, "numpy"):
                if self.steps == 4 * EPOCH + BATCH:
                    die(way, marker)
                self.steps += 1
            if place == "graph":
                with tf.control_dependencies([tf.numpy_function(self.count, [], tf.float32)]):
                    return tf.identity(inputs)
            return inputs

        def count(self) -> np.float32:
            if self.steps == 4 * EPOCH + BATCH:
                die(way, marker)
            self.steps += 1
            return np.float32(0)

    return Dying()


def callback(way: str, place: str, marker: str | None = None) -> Any:
    """Dies at the end of a batch, where `place` is ``callback``."""

    class Deadly(keras.callbacks.Callback):  # type: ignore[misc]
        epoch = 0

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
            self.epoch = epoch

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
            if place == "callback" and (self.epoch, batch) == (EPOCH, BATCH):
                die(way, marker)

    return Deadly()
