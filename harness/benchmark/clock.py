"""Takes the time of one run of a loop, from the first step to when the device is done."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from harness.pipeline.backend import import_keras
from harness.pipeline.device import synchronise
from harness.pipeline.observer import Unobserved

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Clock"]


class Clock(Unobserved):
    """Times one run at a time; start it anew before each.

    A run of ``fit`` is timed by callbacks around those of the pipeline, a loop that is not Keras'
    by what it says of its epochs.

    A callback that hears the end of each batch makes Keras turn the logs into Python numbers after
    every step, which waits for the device. So the ends of steps are listened to only where each is
    timed; otherwise the run ends with its epoch, whose logs need the last step.

    Attributes:
        seconds: From the beginning of the first step (or of the epoch) until the device was done.
        executions: Calls into the compiled step that were begun; None for loops not Keras'.
        step_seconds: Each call, the device waited for after each; empty unless asked for.
        loss: Loss of the run; None where its logs have none.
    """

    def __init__(self) -> None:
        """Nothing was timed yet."""
        self.start()

    def start(self, *, each_step: bool = False, whole_epoch: bool = False) -> None:
        """Forget the last run.

        Args:
            each_step: Wait for the device after every call, and time each of them.
            whole_epoch: Time all that happens in the epoch, validation and callbacks included.
        """
        self.seconds = 0.0
        self.executions: int | None = None
        self.step_seconds: list[float] = []
        self.loss: float | None = None
        self._each_step, self._whole_epoch = each_step, whole_epoch
        self._began: float | None = None
        self._last = 0.0

    def around(self, callbacks: Sequence[Any]) -> list[Any]:
        """The callbacks with the clock's own before and behind them."""
        base: Any = import_keras().callbacks.Callback
        clock = self

        class First(base):  # type: ignore[misc]
            def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
                clock.executions = 0
                if clock._whole_epoch:
                    clock._begin()

            def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
                clock._begin_step()

            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
                if not clock._whole_epoch:
                    clock._end(logs)

        class Last(base):  # type: ignore[misc]
            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
                if clock._whole_epoch:
                    clock._end(logs)

        class Each(base):  # type: ignore[misc]
            def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
                clock._end_step(logs)

        each = [Each()] if self._each_step else []
        return [First(), *each, *callbacks, Last()]

    def on_epoch_begin(self, epoch: int) -> None:  # noqa: ARG002 - the observer's signature
        """A loop that is not Keras' begins."""
        self._begin()

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:  # noqa: ARG002
        """A loop that is not Keras' ends."""
        self._end(logs)

    def _begin(self) -> None:
        synchronise()
        self._began = self._last = time.perf_counter()

    def _begin_step(self) -> None:
        if self._began is None:
            self._begin()
        self.executions = (self.executions or 0) + 1

    def _end_step(self, logs: Any) -> None:
        synchronise(logs)
        now = time.perf_counter()
        self.step_seconds.append(now - self._last)
        self._last = now

    def _end(self, logs: Any) -> None:
        synchronise(logs)
        if self._began is not None:
            self.seconds = time.perf_counter() - self._began
        loss = (logs or {}).get("loss")
        self.loss = None if loss is None else float(loss)
