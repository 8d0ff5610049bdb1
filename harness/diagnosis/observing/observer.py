"""Everything that watches, in one object; and what is told of the process as a whole."""

from __future__ import annotations

import faulthandler
import os
import platform
import signal
import sys
import threading
import warnings
from typing import TYPE_CHECKING, Any

from harness.diagnosis.observing.imports import call_after_import
from harness.diagnosis.observing.notes import Notes
from harness.diagnosis.observing.places import raised_at, user_place

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.diagnosis.observing.fits import FitWatch
    from harness.diagnosis.observing.steps import StepWatch

__all__ = ["Observer"]

_FLUSH_SECONDS = 0.5
"""A process that is killed takes what it did in the last half second with it."""


class Observer:
    """Observes this process until it ends.

    Attributes:
        notes: The journal.
    """

    def __init__(self, journal: int) -> None:
        """Open the journal; nothing is wrapped yet.

        Args:
            journal: Descriptor of an open file.
        """
        self.notes = Notes(journal)
        self._steps: StepWatch | None = None
        self._fits: FitWatch | None = None
        self._ended = threading.Event()
        self._callback: type | None = None

    def begin(self) -> None:
        """Wait for the imports of TensorFlow and Keras."""
        faulthandler.register(signal.SIGQUIT, all_threads=True)
        self.notes.write("ready", held_bytes=0)
        self._watch_ends()
        threading.Thread(target=self._look_around, name="observer", daemon=True).start()
        if "keras" in sys.modules:
            self._wrap()
        else:
            call_after_import({"keras": self._wrap})

    def ends(self, error: BaseException | None) -> None:
        """The script has ended, by itself or by an exception."""
        if isinstance(error, SystemExit):
            status = error.code
            code = status if isinstance(status, int) else 0 if status is None else 1
            where = raised_at(error, self._callback)
            self.notes.write("exit", call="sys.exit", status=code, location=where["location"])
        elif error is not None:
            self.notes.write("raised", **raised_at(error, self._callback))
        self._ended.set()
        if self._steps is not None:
            self._steps.flush()
            lanes = [(lane.number, lane.rows, lane.traces) for lane in self._steps.lanes]
            self.notes.write("lanes", lanes=lanes)
        self.notes.write("script_end")

    def _wrap(self) -> None:
        """Keras has been imported."""
        import keras

        backend = keras.config.backend()
        self.notes.write(
            "keras",
            keras=keras.__version__,
            backend=backend,
            tensorflow=getattr(sys.modules.get("tensorflow"), "__version__", ""),
            numpy=getattr(sys.modules.get("numpy"), "__version__", ""),
            python=platform.python_version(),
        )
        if backend != "tensorflow" or keras.__version__.startswith("2."):
            return
        from harness.diagnosis.observing.criteria import watch_criteria
        from harness.diagnosis.observing.fits import FitWatch
        from harness.diagnosis.observing.sources import watch_datasets
        from harness.diagnosis.observing.steps import StepWatch
        from harness.diagnosis.observing.validation import ValidationWatch

        self._callback = keras.callbacks.Callback
        self._steps = StepWatch(self.notes)
        self._steps.install()
        self._fits = FitWatch(self.notes, self._steps, ValidationWatch(self.notes))
        self._fits.install()
        watch_datasets()
        watch_criteria(self.notes)
        self._watch_warnings()

    def _look_around(self) -> None:
        """Save rows now and then: what lies in the graph dies with the process.

        And die with who started us: nobody else would end a script whose watcher was killed.
        """
        parent = os.getppid()
        while not self._ended.wait(_FLUSH_SECONDS):
            if os.getppid() != parent:
                os.kill(os.getpid(), signal.SIGKILL)
            if self._steps is not None and self._steps.flush():
                from harness.recorders.resources import resident_bytes

                steps = sum(lane.read_rows for lane in self._steps.lanes)
                self.notes.write("memory", rss=resident_bytes(), steps=steps)
            elif self._fits is None or self._fits.moved():
                # Who watches takes silence for a standstill.
                self.notes.write("alive")

    def _watch_warnings(self) -> None:
        show = warnings.showwarning

        def shown(message: Any, category: Any, *args: Any, **kw: Any) -> None:
            self.notes.write("warning", category=category.__name__, message=str(message)[:500])
            show(message, category, *args, **kw)

        warnings.showwarning = shown

    def _watch_ends(self) -> None:
        """Note who ends the process past everything else."""
        leave: Callable[[int], Any] = os._exit

        def left(status: int) -> None:
            self.notes.write(
                "exit",
                call="os._exit",
                status=status,
                location=user_place(sys._getframe(1)),
            )
            leave(status)

        os._exit = left  # type: ignore[assignment]
