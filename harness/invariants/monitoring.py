"""Callbacks that watch one number: when they stop training, restore weights or lower the rate."""

import math
from typing import Literal, TypeAlias

import numpy as np

from harness.invariants.base import NothingToJudge, Reason, View, Violation, invariant
from harness.invariants.readings import BROKEN_OFF
from harness.oracles.monitoring import (
    EarlyStoppingResult,
    early_stopping,
    reduce_lr_on_plateau,
)
from harness.spec.callbacks import (
    EarlyStoppingSpec,
    ImportedCallbackSpec,
    LearningRateSchedulerSpec,
    MonitorSpec,
    ReduceLROnPlateauSpec,
    StepDecaySpec,
    SwapEMAWeightsSpec,
)
from harness.spec.metrics import F1Spec, ImportedMetricSpec
from harness.trace.events import Event
from harness.trace.recording import Recording
from harness.trace.stop import StopReason

Mode: TypeAlias = Literal["min", "max"]
Judged: TypeAlias = tuple[int, EarlyStoppingSpec, EarlyStoppingResult]

_RISING = frozenset(
    {
        "accuracy",
        "binary_accuracy",
        "categorical_accuracy",
        "sparse_categorical_accuracy",
        "top_k_categorical_accuracy",
        "sparse_top_k_categorical_accuracy",
        "auc",
        "precision",
        "recall",
    }
)
"""Metrics of which more is better."""


def mode_of(view: View, callback: MonitorSpec) -> Mode:
    """Return whether lower or higher is better, "auto" resolved from the metric's meaning.

    Raises:
        NothingToJudge: The metric's meaning is not known here.
    """
    if callback.mode != "auto":
        return callback.mode
    name = callback.monitor.removeprefix("val_")
    if name == "loss":
        return "min"
    for metric in view.pipeline.metrics:
        unknown = isinstance(metric, ImportedMetricSpec | F1Spec)
        if not unknown and name in {metric.name, metric.kind}:
            return "max" if metric.kind in _RISING else "min"
    message = f"mode must be min or max for the monitor {callback.monitor!r}, got auto."
    raise NothingToJudge(message)


def monitored(view: View, callback: MonitorSpec) -> tuple[float | None, ...]:
    """Return what the callback was shown at the end of each epoch, None where it was nothing."""
    return tuple(record.logs.get(callback.monitor) for record in view.trace.epochs)


@invariant(
    "early_stopping_follows_automaton",
    records=Recording.of("state"),
    source="Keras, keras.callbacks.EarlyStopping; 001, example 3; 003",
)
def early_stopping_follows_automaton(view: View, reason: Reason) -> tuple[Violation, ...]:
    """Early stopping ends training after the epoch the documentation says, and restores the best.

    Where several of them are configured the earliest stops, and the last to restore wins.

    Raises:
        NothingToJudge: There is no early stopping.
    """
    specs = [
        (index, callback)
        for index, callback in enumerate(view.pipeline.callbacks)
        if isinstance(callback, EarlyStoppingSpec)
    ]
    if not specs:
        message = "callbacks must hold an early_stopping to be judged, got none."
        raise NothingToJudge(message)
    if not view.trace.epochs:
        return ()
    judged = [(index, spec, _expected(view, spec)) for index, spec in specs]
    found = _stop(view, reason, judged) or _decisions(view, reason, judged)
    found = found or _restored(view, reason, judged)
    return () if found is None else (found,)


def _expected(view: View, spec: EarlyStoppingSpec) -> EarlyStoppingResult:
    return early_stopping(
        monitored(view, spec),
        mode=mode_of(view, spec),
        min_delta=spec.min_delta,
        patience=spec.patience,
        baseline=spec.baseline,
        restore_best_weights=spec.restore_best_weights,
        start_from_epoch=spec.start_from_epoch,
        initial_epoch=view.trace.epochs[0].epoch,
    )


def _stop(view: View, reason: Reason, judged: list[Judged]) -> Violation | None:
    last = view.trace.epochs[-1].epoch
    stops = [(result.stop_epoch, spec) for _, spec, result in judged]
    due, spec = min(
        ((epoch, spec) for epoch, spec in stops if epoch is not None),
        key=lambda item: item[0],
        default=(None, judged[0][1]),
    )
    where = f"early_stopping(monitor={spec.monitor!r})"
    seen = ", ".join(repr(value) for value in monitored(view, spec))
    if due is not None and last > due:
        return view.violation(
            reason,
            f"training went on after epoch {due}; {spec.monitor} was {seen}",
            got=f"last epoch {last}",
            expected=f"last epoch {due}",
            epoch=due,
            where=where,
        )
    if due is None and view.trace.stop.reason is StopReason.EARLY_STOPPING:
        return view.violation(
            reason,
            f"training was stopped after epoch {last}; {spec.monitor} was {seen}",
            got=f"stopped after epoch {last}",
            expected="no stop yet",
            epoch=last,
            where=where,
        )
    return None


def _decisions(view: View, reason: Reason, judged: list[Judged]) -> Violation | None:
    """Return where the callback itself names another best or stop epoch than the automaton."""
    for index, spec, result in judged:
        final = _final_event(view, index)
        best = result.restored_epoch if spec.restore_best_weights else result.best_epoch
        for name, expected in (("best_epoch", best), ("stopped_epoch", result.stop_epoch)):
            got = None if final is None else final.detail.get(name)
            if got is not None and expected is not None and got != expected:
                return view.violation(
                    reason,
                    f"the callback's {name} is {got}",
                    got=got,
                    expected=expected,
                    epoch=expected,
                    where=f"callbacks.{index}.{name}",
                )
    return None


def _final_event(view: View, index: int) -> Event | None:
    for event in reversed(view.trace.events):
        own = event.kind == "callback" and event.detail.get("index") == index
        if own and event.detail.get("final"):
            return event
    return None


def _restored(view: View, reason: Reason, judged: list[Judged]) -> Violation | None:
    epochs = [result.restored_epoch for _, _, result in judged if result.restored_epoch is not None]
    others = any(
        isinstance(callback, SwapEMAWeightsSpec | ImportedCallbackSpec)
        for callback in view.pipeline.callbacks
    )
    if not epochs or others or view.trace.stop.reason in BROKEN_OFF:
        return None
    state = view.state
    record = next(item for item in view.trace.epochs if item.epoch == epochs[-1])
    row = record.stop_step - 1
    for path in (*state.paths("trainable"), *state.paths("non_trainable")):
        best = state.after_of(path)[row] if row >= 0 else state.initial_of(path)
        mismatch = view.differs(
            state.final_of(path), best, quantity="weights", where=path, phase="final"
        )
        if mismatch is not None:
            found = view.numeric(reason, mismatch)
            message = f"the weights of epoch {epochs[-1]} were to be restored: {found.message}"
            return view.violation(
                reason,
                message,
                got=found.got,
                expected=found.expected,
                epoch=epochs[-1],
                where=found.where,
                allowed=found.allowed,
            )
    return None


@invariant(
    "plateau_follows_automaton",
    source="Keras, keras.callbacks.ReduceLROnPlateau",
)
def plateau_follows_automaton(view: View, reason: Reason) -> tuple[Violation, ...]:
    """The learning rate falls after the epochs in which the documentation says it does.

    Raises:
        NothingToJudge: There is no such callback, or it is not alone in setting the rate.
    """
    spec, rate = _plateau(view)
    recorded = [record.learning_rate for record in view.trace.epochs]
    got = np.array([math.nan if value is None else value for value in recorded])
    if not len(got):
        return ()
    expected = _rates(view, spec, rate, single=bool((got.astype(np.float32) == got).all()))
    for record, found, wanted in zip(view.trace.epochs, got, expected, strict=True):
        mismatch = view.differs(
            float(found),
            wanted,
            quantity="learning_rates",
            where="learning_rate",
            epoch=record.epoch,
        )
        if mismatch is not None:
            return (view.numeric(reason, mismatch),)
    return ()


def _plateau(view: View) -> tuple[ReduceLROnPlateauSpec, float]:
    callbacks, optimizer = view.pipeline.callbacks, view.pipeline.optimizer
    setters = (
        ReduceLROnPlateauSpec,
        StepDecaySpec,
        LearningRateSchedulerSpec,
        ImportedCallbackSpec,
    )
    found = [callback for callback in callbacks if isinstance(callback, setters)]
    spec = found[0] if len(found) == 1 else None
    rate = getattr(optimizer, "learning_rate", None)
    if not isinstance(spec, ReduceLROnPlateauSpec) or not isinstance(rate, float | int):
        message = (
            "callbacks must hold one reduce_lr_on_plateau and nothing else that sets the rate, "
            f"got {len(found)} such callbacks with learning_rate = {rate!r}."
        )
        raise NothingToJudge(message)
    return spec, float(rate)


def _rates(
    view: View, spec: ReduceLROnPlateauSpec, rate: float, *, single: bool
) -> tuple[float, ...]:
    """Return the rate after each epoch, rounded as often as the optimizer's variable rounds it."""
    result = reduce_lr_on_plateau(
        monitored(view, spec),
        learning_rate=held(rate, single=single),
        mode=mode_of(view, spec),
        factor=spec.factor,
        patience=spec.patience,
        min_delta=spec.min_delta,
        cooldown=spec.cooldown,
        min_lr=held(spec.min_lr, single=single),
        initial_epoch=view.trace.epochs[0].epoch,
    )
    current, rates = held(rate, single=single), []
    for record in view.trace.epochs:
        if record.epoch in result.reductions:
            current = held(max(current * spec.factor, spec.min_lr), single=single)
        rates.append(current)
    return tuple(rates)


def held(rate: float, *, single: bool) -> float:
    """Return a rate as the optimizer's variable holds it, rounded to float32 if `single`."""
    return float(np.float32(rate)) if single else rate
