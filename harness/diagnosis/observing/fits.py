"""Watches calls of `fit` and `train_on_batch`: what was asked for, what was done, how it ended."""

from __future__ import annotations

import inspect
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import keras

from harness.diagnosis.observing.audit import audit_data, audit_weights
from harness.diagnosis.observing.places import raised_at, user_place
from harness.diagnosis.observing.preview import preview
from harness.diagnosis.observing.sources import Drawn, describe
from harness.diagnosis.observing.stops import describe_callback, watch_callbacks, watch_stops
from harness.diagnosis.observing.wrapping import wrap
from harness.recorders.resources import resident_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.diagnosis.observing.notes import Notes
    from harness.diagnosis.observing.steps import StepWatch
    from harness.diagnosis.observing.validation import ValidationWatch

__all__ = ["FitWatch"]


@dataclass(slots=True)
class _Fit:
    """One call of `fit` that is running."""

    number: int
    model: Any
    arguments: dict[str, Any]
    callbacks: Any = None
    epoch: int | None = None
    batches: int = 0
    drawn: Drawn | None = None
    validation_drawn: Drawn | None = None
    iterations: int = 0
    traces: int = 0
    rows: dict[int, int] = field(default_factory=dict)


class FitWatch:
    """Writes down each fit, its epochs, its validations and its end."""

    def __init__(self, notes: Notes, steps: StepWatch, validation: ValidationWatch) -> None:
        """Wrap nothing yet."""
        self._notes, self._steps, self._validation = notes, steps, validation
        self._running: list[_Fit] = []
        self._count = self._ticks = self._told = 0
        self._singles: set[int] = set()

    def install(self) -> None:
        """Wrap the trainer and the list of callbacks."""
        trainer: Any = keras.Model
        while "fit" not in vars(trainer):
            trainer = next(base for base in trainer.__mro__[1:] if hasattr(base, "fit"))
        wrap(trainer, "fit", self._fit)
        wrap(trainer, "train_on_batch", self._train_on_batch)
        watch_stops(trainer, self._stop)
        watch_callbacks()
        hooks = keras.callbacks.CallbackList
        wrap(hooks, "__init__", self._list_made)
        wrap(hooks, "on_epoch_begin", self._epoch_begin)
        wrap(hooks, "on_epoch_end", self._epoch_end)
        wrap(hooks, "on_train_batch_end", self._batch_end)
        wrap(hooks, "on_test_batch_end", self._tick)
        wrap(hooks, "on_predict_batch_end", self._tick)
        wrap(hooks, "on_test_begin", self._test_begin)
        wrap(hooks, "on_test_end", self._test_end)

    def moved(self) -> bool:
        """Whether batches came to their end since this was asked last, or none is expected to.

        Before the first training and between two nobody knows how long a script may take.
        """
        before, self._told = self._told, self._ticks
        if self._ticks != before:
            return True
        return not self._running and (self._count > 0 or not self._steps.lanes)

    def _fit(self, original: Callable[..., Any], model: Any, *args: Any, **kw: Any) -> Any:
        try:
            bound = inspect.signature(original).bind(model, *args, **kw)
        except TypeError:
            return original(model, *args, **kw)
        bound.apply_defaults()
        arguments = dict(bound.arguments)
        arguments.pop("self", None)
        run = _Fit(number=self._count, model=model, arguments=arguments)
        self._count += 1
        place = user_place(sys._getframe(1))
        with self._notes.sparing("fit"):
            self._steps.watch_train_step(type(model))
            self._validation.watch_test_step(type(model))
            self._begin(run, place)
        self._running.append(run)
        started = time.monotonic()
        try:
            result = original(model, **arguments)
        except BaseException as error:
            self._end(run, started, error)
            raise
        finally:
            self._running.remove(run)
        self._end(run, started, None)
        return result

    def _begin(self, run: _Fit, place: str | None) -> None:
        asked, model = run.arguments, run.model
        optimizer = getattr(model, "optimizer", None)
        run.iterations = _iterations(optimizer)
        run.traces = self._steps.traced.get(id(model), 0)
        run.rows = {lane.number: lane.rows for lane in self._steps.lanes}
        source = describe(asked["x"], asked["y"], asked["batch_size"], asked["steps_per_epoch"])
        held_out = _validation_source(asked)
        planned: list[dict[str, Any]] = []
        with self._notes.sparing("preflight"):
            planned = preview(model, asked)
        if source["kind"] == "generator":
            run.drawn = Drawn()
            asked["x"] = run.drawn.counted(asked["x"])
        if held_out is not None and held_out["kind"] == "generator":
            run.validation_drawn = Drawn()
            asked["validation_data"] = run.validation_drawn.counted(asked["validation_data"])
        self._notes.write(
            "fit_begin",
            fit=run.number,
            place=place,
            model=type(model).__name__,
            name=getattr(model, "name", ""),
            epochs=asked["epochs"],
            initial_epoch=asked["initial_epoch"],
            steps_per_epoch=asked["steps_per_epoch"],
            steps_per_execution=getattr(model, "steps_per_execution", 1),
            validation_steps=asked["validation_steps"],
            validation_split=asked["validation_split"],
            class_weight=_plain_weights(asked["class_weight"]),
            run_eagerly=bool(getattr(model, "run_eagerly", False)),
            source=source,
            validation=held_out,
            optimizer=_describe_optimizer(optimizer),
            rows=run.rows,
        )
        for found in planned:
            self._notes.write("preflight", fit=run.number, **found)

    def _end(self, run: _Fit, started: float, error: BaseException | None) -> None:
        with self._notes.sparing("end of fit"):
            self._write_end(run, started, error)

    def _write_end(self, run: _Fit, started: float, error: BaseException | None) -> None:
        self._steps.flush()
        optimizer = getattr(run.model, "optimizer", None)
        lane = self._steps.lane_of(optimizer)
        ended: dict[str, Any] = {}
        if error is not None:
            ended["error"] = raised_at(error, keras.callbacks.Callback)
        if run.drawn is not None:
            ended |= {"drawn": run.drawn.batches, "ended": run.drawn.ended}
        if run.validation_drawn is not None:
            ended |= {"validation_drawn": run.validation_drawn.batches}
            ended |= {"validation_ended": run.validation_drawn.ended}
        self._notes.write(
            "fit_end",
            fit=run.number,
            seconds=round(time.monotonic() - started, 3),
            lane=None if lane is None else lane.number,
            rows={lane.number: lane.rows for lane in self._steps.lanes},
            updates=_iterations(optimizer) - run.iterations,
            traces=self._steps.traced.get(id(run.model), 0) - run.traces,
            replicated=self._steps.replicated,
            wrong_weights=audit_weights(run.model),
            wrong_data=audit_data(run.arguments),
            rss=resident_bytes(),
            **ended,
        )

    def _train_on_batch(self, original: Callable[..., Any], model: Any, *a: Any, **kw: Any) -> Any:
        self._steps.watch_train_step(type(model))
        if id(model) not in self._singles:
            self._singles.add(id(model))
            place = user_place(sys._getframe(1))
            self._notes.write("train_on_batch", place=place, model=type(model).__name__)
        return original(model, *a, **kw)

    def _of(self, hooks: Any) -> _Fit | None:
        """The running fit that a list of callbacks belongs to."""
        found = self._running[-1] if self._running else None
        return found if found is not None and found.callbacks is hooks else None

    def _list_made(self, original: Callable[..., Any], hooks: Any, *args: Any, **kw: Any) -> None:
        original(hooks, *args, **kw)
        run = self._running[-1] if self._running else None
        if run is None or run.callbacks is not None or "steps" not in hooks.params:
            return
        run.callbacks = hooks
        own = [one for one in hooks.callbacks if type(one).__name__ not in _DEFAULTS]
        steps = hooks.params["steps"]
        self._notes.write(
            "callbacks",
            fit=run.number,
            steps=None if steps is None else int(steps),
            callbacks=[describe_callback(one) for one in own],
        )

    def _epoch_begin(
        self, original: Callable[..., Any], hooks: Any, epoch: int, *args: Any, **kw: Any
    ) -> Any:
        run = self._of(hooks)
        if run is not None:
            run.epoch, run.batches = epoch, 0
            self._notes.write("epoch_begin", fit=run.number, epoch=epoch)
        return original(hooks, epoch, *args, **kw)

    def _batch_end(
        self, original: Callable[..., Any], hooks: Any, batch: int, *args: Any, **kw: Any
    ) -> Any:
        run = self._of(hooks)
        self._ticks += 1
        if run is not None:
            run.batches += 1
        return original(hooks, batch, *args, **kw)

    def _tick(self, original: Callable[..., Any], hooks: Any, *args: Any, **kw: Any) -> Any:
        self._ticks += 1
        return original(hooks, *args, **kw)

    def _epoch_end(
        self, original: Callable[..., Any], hooks: Any, epoch: int, *args: Any, **kw: Any
    ) -> Any:
        run = self._of(hooks)
        if run is None:
            return original(hooks, epoch, *args, **kw)
        logs = args[0] if args else kw.get("logs")
        # Before the callbacks: one of them may raise, or end the process.
        with self._notes.sparing("end of epoch"):
            self._steps.flush()
            self._notes.write(
                "epoch_done",
                fit=run.number,
                epoch=epoch,
                batches=run.batches,
                logs=_numbers(logs),
                rows={lane.number: lane.rows for lane in self._steps.lanes},
                drawn=None if run.drawn is None else run.drawn.batches,
                rss=resident_bytes(),
            )
        result = original(hooks, epoch, *args, **kw)
        self._notes.write("epoch_end", fit=run.number, epoch=epoch)
        return result

    def _test_begin(self, original: Callable[..., Any], hooks: Any, *args: Any, **kw: Any) -> Any:
        if self._of(hooks) is not None:
            self._validation.begin(hooks.model)
        return original(hooks, *args, **kw)

    def _test_end(self, original: Callable[..., Any], hooks: Any, *args: Any, **kw: Any) -> Any:
        run = self._of(hooks)
        if run is not None:
            with self._notes.sparing("validation"):
                seen = self._validation.end(hooks.model)
                self._notes.write("validated", fit=run.number, epoch=run.epoch, **seen)
        return original(hooks, *args, **kw)

    def _stop(self, model: Any, request: dict[str, Any]) -> None:
        run = next((run for run in reversed(self._running) if run.model is model), None)
        if run is not None:
            self._notes.write(
                "stop_requested", fit=run.number, epoch=run.epoch, batch=run.batches, **request
            )


_DEFAULTS = ("History", "ProgbarLogger")


def _validation_source(asked: dict[str, Any]) -> dict[str, Any] | None:
    data = asked["validation_data"]
    if data is None:
        return None
    x, y = (data[0], data[1]) if isinstance(data, tuple) and len(data) > 1 else (data, None)
    size = asked["validation_batch_size"] or asked["batch_size"]
    found = describe(x, y, size, asked["validation_steps"])
    found.pop("labels", None)
    return found


def _iterations(optimizer: Any) -> int:
    count = getattr(optimizer, "iterations", None)
    return 0 if count is None else int(count.numpy())


def _describe_optimizer(optimizer: Any) -> dict[str, Any] | None:
    if optimizer is None:
        return None
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    rate = getattr(inner, "_learning_rate", None)
    return {
        "name": type(inner).__name__,
        "schedule": type(rate).__name__ if hasattr(rate, "get_config") else None,
        "alpha": _number(getattr(rate, "alpha", None)),
        "initial_rate": _number(getattr(rate, "initial_learning_rate", None)),
        "scaled": inner is not optimizer,
        "weight_decay": bool(getattr(inner, "weight_decay", None)),
        "use_ema": bool(getattr(inner, "use_ema", False)),
        "accumulation": getattr(inner, "gradient_accumulation_steps", None),
    }


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _plain_weights(weights: Any) -> dict[str, float] | None:
    if not isinstance(weights, dict):
        return None
    return {str(key): float(value) for key, value in weights.items()}


def _numbers(logs: Any) -> dict[str, float]:
    found = {}
    for name, value in (logs or {}).items():
        try:
            found[str(name)] = float(value)
        except (TypeError, ValueError):
            # A user's callback may log anything, arrays and text among it.
            continue
    return found
