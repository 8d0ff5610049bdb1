# ruff: noqa: ARG001, ARG002 - Keras' signatures
"""Watches one run from its first callback to its last and gathers what a trace is made of."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.pipeline.backend import import_keras
from harness.pipeline.inputs import Inputs
from harness.pipeline.values import read_value
from harness.recorders.keeping import Keeping, batch_watcher
from harness.recorders.resources import resident_bytes
from harness.recorders.streaming import Events
from harness.recorders.watch import CallbackWatch, public_state
from harness.trace import EpochRecord, Event

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from harness.pipeline.observer import Step
    from harness.pipeline.pipeline import TrainingPipeline
    from harness.pipeline.sources import Source
    from harness.recorders.resources import PeakMemory
    from harness.recorders.steps import StepRecorder
    from harness.recorders.streaming import Stream
    from harness.recorders.watch import Request
    from harness.trace.recording import Recording

__all__ = ["RunRecorder"]


@dataclass(slots=True)
class RunRecorder:
    """The observer of one compiled pipeline; `begin` makes it ready for the next run.

    Attributes:
        recording: What to keep.
        steps: Records the steps.
        watch: Knows which callback stopped or raised.
        epochs: Records of the epochs that ended.
        events: What happened, in order.
        epoch: The epoch that is running, None outside of all epochs.
        folder: Where callbacks write; it differs from run to run, so events leave it out.
        stream: Sends what happens while it happens; None where nobody listens.
    """

    recording: Recording
    steps: StepRecorder
    watch: CallbackWatch = field(default_factory=CallbackWatch)
    epochs: list[EpochRecord] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    epoch: int | None = None
    folder: Path | None = None
    stream: Stream | None = None
    _memory: PeakMemory | None = None
    _inputs: Inputs = field(default_factory=Inputs)
    _pipeline: TrainingPipeline | None = None
    _first_step: int = 0
    _drawn: int = 0
    _callbacks: list[Any] = field(default_factory=list)
    _keeping: Keeping = field(default_factory=Keeping)

    def begin(self, inputs: Inputs, memory: PeakMemory, folder: Path) -> None:
        """Forget the last run."""
        self.steps.reset()
        self.watch = CallbackWatch(on_stop=self._note_stop)
        self.epochs, self.events, self._callbacks = [], [], []
        if self.stream is not None:
            journal = self.stream.journal
            self.events = Events(journal)
            self.watch.on_enter = self.stream.enter
            self.watch.on_leave = lambda: journal.write("leave")
        self.epoch, self._first_step, self._drawn = None, 0, 0
        self._inputs, self._memory, self.folder = inputs, memory, folder
        for role, source in (("training", inputs.source), ("validation", inputs.validation)):
            self.listen(role, source)
        if self.recording.memory:
            self._keeping.begin()

    def rewind(self) -> None:
        """Forget the steps of the epoch that was broken off, and close what its callbacks wrote."""
        self.steps.rewind(self.epochs[-1].stop_step if self.epochs else 0)
        self._close_files()
        self.epoch = None

    def release(self) -> None:
        """Let go of what belongs to the run alone: its data and the user's callbacks."""
        self._keeping.end()
        self._close_files()
        self._inputs, self._memory, self._callbacks = Inputs(), None, []

    def _close_files(self) -> None:
        """Close what a CSVLogger leaves open where an exception keeps it from the end."""
        for callback in self._callbacks:
            file: Any = getattr(callback, "csv_file", None)
            if file is not None and hasattr(file, "close"):
                file.close()

    def listen(self, role: str, source: Source | None) -> None:
        """Write down what happens to a source among the hooks, in the order in which it happens.

        Workers may build batches after the run: those must not reach the events of the next one.

        Args:
            role: What it is read for: ``training``, ``validation``, ``evaluate`` or ``predict``.
            source: The source.
        """
        events = self.events
        if source is None or not self.recording.hooks:
            return

        def heard(name: str, **detail: int) -> None:
            event = Event(
                kind="source", name=name, epoch=self.epoch, detail={"role": role, **detail}
            )
            events.append(event)

        source.tally.listener = heard

    def watch_step(self, step: Step, pipeline: TrainingPipeline) -> Step:
        """The step to run instead: the same, and recorded."""
        self._pipeline = pipeline
        if pipeline.model is not None:
            for method in ("save", "save_weights"):
                setattr(pipeline.model, method, self._noting(getattr(pipeline.model, method)))
        return self.steps.watch(step, pipeline)

    @property
    def pipeline(self) -> TrainingPipeline | None:
        """What is watched, once it is known."""
        return self._pipeline

    def _noting(self, save: Callable[..., Any]) -> Callable[..., Any]:
        """Note what a callback saves, where, and after how many steps."""

        def noted(filepath: Any, *args: Any, **kwargs: Any) -> Any:
            result = save(filepath, *args, **kwargs)
            self.note(
                "saved",
                self._portable(str(filepath)),
                method=save.__name__,
                steps=self.steps.rows(),
            )
            return result

        return noted

    def note_history(self, returned: Any) -> None:
        """Note what ``fit`` returned, and what the model keeps of it, where hooks are recorded."""
        model = None if self._pipeline is None else self._pipeline.model
        if not self.recording.hooks or returned is None:
            return
        for name, history in (("returned", returned), ("kept", getattr(model, "history", None))):
            columns = {"epoch": getattr(history, "epoch", []), **getattr(history, "history", {})}
            detail = {
                f"{key}.{index}": value
                for key, values in columns.items()
                for index, value in enumerate(_numbers(dict(enumerate(values))).values())
            }
            self.events.append(Event(kind="history", name=name, detail=detail))

    def watch_callbacks(self, callbacks: list[Any]) -> list[Any]:
        """The callbacks to hand to Keras: observed, with our own around them."""
        self._callbacks = callbacks
        for callback in callbacks:
            self.watch.watch(callback)
        opener = _epoch_opener(self) if self.stream is None else _batch_opener(self)
        last = [batch_watcher(self._note_memory)] if self.recording.memory else []
        return [opener, *self.watch_hooks(), *callbacks, *last, _epoch_recorder(self)]

    def watch_hooks(self) -> list[Any]:
        """What writes down every hook, where that was asked for."""
        return [_hook_recorder(self)] if self.recording.hooks else []

    def on_epoch_begin(self, epoch: int) -> None:
        """An epoch begins."""
        self.epoch = self.watch.epoch = epoch
        self._first_step = self.steps.rows()
        if self.stream is not None:
            self.stream.journal.write("epoch_begin", epoch=epoch)

    def on_batch_begin(self, batch: int) -> None:
        """A batch begins, or an execution of several."""
        if self.stream is not None:
            self.stream.journal.write("batch_begin", batch=batch)

    def on_batch_end(self) -> None:
        """A batch has ended and no other callback has seen it yet."""
        if self.stream is not None:
            self.steps.send()
            self.stream.journal.write("batch_end")

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """An epoch has ended and every other callback has seen it."""
        drawn = self._inputs.count_draws()
        stop = self.steps.rows()
        self.epochs.append(
            EpochRecord(
                epoch=epoch,
                steps=stop - self._first_step,
                logs=_numbers(logs),
                first_step=self._first_step,
                stop_step=stop,
                rss_bytes=0 if self._memory is None else self._memory.sample(),
                drawn_batches=None if drawn is None else drawn - self._drawn,
                learning_rate=self._learning_rate(),
            )
        )
        self._drawn = drawn or 0
        if self._keeping.active:
            event = self._keeping.event(epoch, self._callbacks, self.steps.traces)
            self.events.append(event)
        self._note_callbacks(epoch, final=False)
        if self.stream is not None:
            self.steps.send()
            self.stream.end_epoch(self.epochs[-1])
        self.epoch = None

    def on_train_end(self) -> None:
        """Every other callback has seen the end of the training."""
        self._note_callbacks(None, final=True)

    def note(self, kind: str, name: str, **detail: str | float | bool) -> None:
        """Add an event that happens now."""
        self.events.append(Event(kind=kind, name=name, epoch=self.epoch, detail=detail))

    def _note_memory(self) -> None:
        detail = {"rss_bytes": resident_bytes()}
        step = self.steps.rows() - 1
        self.events.append(
            Event(kind="memory", name="batch", epoch=self.epoch, step=step, detail=detail)
        )

    def _note_stop(self, request: Request) -> None:
        self.note("stop_requested", request.callback, location=request.location)

    def _learning_rate(self) -> float | None:
        optimizer = None if self._pipeline is None else self._pipeline.optimizer
        rate = getattr(optimizer, "learning_rate", None)
        if rate is None:
            return None
        # A variable, a schedule's tensor or a number: Keras 3.8 has no `float(variable)`.
        return float(read_value(rate) if hasattr(rate, "numpy") else rate)

    def _note_callbacks(self, epoch: int | None, *, final: bool) -> None:
        for index, callback in enumerate(self._callbacks):
            detail = {name: self._plain(value) for name, value in public_state(callback).items()}
            detail["index"] = index
            if final:
                detail["final"] = True
                self.events += _shown(callback)
            self.events.append(
                Event(kind="callback", name=type(callback).__name__, epoch=epoch, detail=detail)
            )

    def _plain(self, value: str | float) -> str | float:
        return self._portable(value) if isinstance(value, str) else value

    def _portable(self, value: str) -> str:
        if self.folder is not None:
            return value.replace(f"{self.folder}{os.sep}", "")
        return value


def _shown(callback: Any) -> list[Event]:
    """What a progress bar has printed, and the logs that it was given."""
    return [
        Event(
            kind="shown",
            name="progress_bar",
            epoch=epoch,
            detail={"text": text, **({} if batch is None else {"batch": batch})}
            | {f"logs.{name}": value for name, value in logs.items()},
        )
        for epoch, batch, text, logs in getattr(callback, "shown", ())
    ]


def _numbers(logs: Mapping[Any, Any]) -> dict[Any, float]:
    """What of the logs is a number; a user's callback may put anything there."""
    return {
        name: float(value)
        for name, value in logs.items()
        if isinstance(value, int | float) or getattr(value, "shape", None) == ()
    }


def _epoch_opener(recorder: RunRecorder) -> Any:
    """Comes first, so that whatever a callback does belongs to the epoch that has begun."""
    keras = import_keras()

    class EpochOpener(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            recorder.on_epoch_begin(epoch)

    return EpochOpener()


def _named(logs: Mapping[Any, Any] | None) -> dict[str, float]:
    """The logs of a hook among its other details."""
    return {f"logs.{name}": value for name, value in _numbers(logs or {}).items()}


def _batch_opener(recorder: RunRecorder) -> Any:
    """The same, and it sends each batch; batch hooks cost time, so not everybody has it."""
    keras = import_keras()

    class BatchOpener(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            recorder.on_epoch_begin(epoch)

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            recorder.on_batch_begin(int(batch))

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            recorder.on_batch_end()

    return BatchOpener()


def _epoch_recorder(recorder: RunRecorder) -> Any:
    """Comes last, so that it sees what every other callback has done to the logs."""
    keras = import_keras()

    class EpochRecorder(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            recorder.on_epoch_end(epoch, logs or {})

        def on_train_end(self, logs: Any = None) -> None:
            recorder.on_train_end()

    return EpochRecorder()


def _hook_recorder(recorder: RunRecorder) -> Any:
    """Comes first and writes down every hook. Batch hooks cost time, so it is there on request."""
    keras = import_keras()

    class HookRecorder(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        pass

    def plain(name: str) -> Any:
        def hook(self: Any, logs: Any = None) -> None:
            recorder.note("hook", name, **_named(logs))

        return hook

    def of_epoch(name: str) -> Any:
        def hook(self: Any, epoch: int, logs: Any = None) -> None:
            recorder.events.append(Event(kind="hook", name=name, epoch=epoch, detail=_named(logs)))

        return hook

    def of_batch(name: str) -> Any:
        def hook(self: Any, batch: int, logs: Any = None) -> None:
            detail = _named(logs)
            recorder.note("hook", name, batch=int(batch), steps=recorder.steps.rows(), **detail)

        return hook

    for edge in ("begin", "end"):
        for part, make in (
            ("train", plain),
            ("test", plain),
            ("epoch", of_epoch),
            ("train_batch", of_batch),
            ("test_batch", of_batch),
            ("predict", plain),
            ("predict_batch", of_batch),
        ):
            name = f"on_{part}_{edge}"
            setattr(HookRecorder, name, make(name))
    return HookRecorder()
