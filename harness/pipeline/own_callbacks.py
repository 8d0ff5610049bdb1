# ruff: noqa: ARG002 - Keras' signatures
"""Small callbacks of our own: scripts for monitors, and ones that misbehave on purpose.

They are made inside functions because their base class is only there once Keras is imported.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.pipeline.backend import import_keras

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.spec.callbacks import LeakSpec, RaiserSpec, SilentStopperSpec, StepPatienceSpec
    from harness.spec.refit import InterruptSpec

__all__ = [
    "Interruption",
    "interrupter",
    "leak",
    "raiser",
    "scripted_monitor",
    "silent_stopper",
    "step_patience",
]

_EXCEPTIONS: dict[str, type[BaseException]] = {
    "ValueError": ValueError,
    "MemoryError": MemoryError,
    "KeyboardInterrupt": KeyboardInterrupt,
}


class Interruption(Exception):  # noqa: N818 - what breaks off is no error
    """Breaks a fit off where the specification says so."""


def interrupter(spec: InterruptSpec) -> Any:
    """Breaks the fit off; it has to come last, so that every other callback has seen the end."""
    keras = import_keras()

    class Interrupter(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.epoch = epoch

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            # An execution of several steps tells its last one only.
            if spec.batch is not None and self.epoch == spec.epoch and batch >= spec.batch:
                raise Interruption

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == spec.epoch:
                raise Interruption

    return Interrupter()


def scripted_monitor(monitor: str, script: Sequence[float]) -> Any:
    """Puts the next value of `script` into the logs of each epoch."""
    keras = import_keras()

    class ScriptedMonitor(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            if logs is not None and script:
                logs[monitor] = float(script[min(epoch, len(script) - 1)])

    return ScriptedMonitor()


def silent_stopper(spec: SilentStopperSpec) -> Any:
    """Text 003's callback that ends the training without a word, or one validation of it."""
    keras = import_keras()
    training = spec.of == "training"

    class SilentStopper(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.epoch = epoch

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if training and self.epoch == spec.epoch and batch == spec.batch:
                self.model.stop_training = True

        def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
            if not training and self.epoch == spec.epoch and batch == spec.batch:
                self.model.stop_evaluating = True

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if training and epoch == spec.epoch and spec.batch is None:
                self.model.stop_training = True

    return SilentStopper()


def raiser(spec: RaiserSpec) -> Any:
    """Raises where it is told to."""
    keras = import_keras()

    class Raiser(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.epoch = epoch

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if self.epoch == spec.epoch and batch == spec.batch:
                self.fail()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == spec.epoch and spec.batch is None:
                self.fail()

        def fail(self) -> None:
            message = f"raised on purpose in epoch {spec.epoch}"
            raise _EXCEPTIONS[spec.exception](message)

    return Raiser()


def step_patience(spec: StepPatienceSpec) -> Any:
    """Text 000's early stopping: patience counted in the optimizer's own steps."""
    keras = import_keras()

    class StepPatience(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        def on_train_begin(self, logs: Any = None) -> None:
            self.best = math.inf
            self.best_step = 0

        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            step = int(self.model.optimizer.iterations.numpy())
            value = (logs or {}).get(spec.monitor, math.inf)
            if value < self.best:
                self.best, self.best_step = value, step
            elif step - self.best_step > spec.patience:
                self.model.stop_training = True

    return StepPatience()


def leak(spec: LeakSpec) -> Any:
    """Keeps resident memory that nobody asked for."""
    keras = import_keras()

    class Leak(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        def on_train_begin(self, logs: Any = None) -> None:
            self.kept: list[Any] = []

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            # Ones, not zeros: pages that are never written never become resident.
            self.kept.append(np.ones(spec.bytes_per_epoch, dtype=np.uint8))

        def on_train_end(self, logs: Any = None) -> None:
            self.kept.clear()

    return Leak()
