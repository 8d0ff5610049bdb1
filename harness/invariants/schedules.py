"""The learning rate of each update."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias, assert_never

import numpy as np

from harness.invariants.base import NothingToJudge, Reason, View, Violation, invariant
from harness.invariants.readings import Bools, accumulation_steps, builtin_optimizer
from harness.oracles.arrays import Float64
from harness.oracles.schedules import learning_rate_at, step_decay
from harness.spec.callbacks import (
    ImportedCallbackSpec,
    LearningRateSchedulerSpec,
    ReduceLROnPlateauSpec,
    StepDecaySpec,
)
from harness.spec.optimizer import ImportedOptimizerSpec
from harness.spec.schedule import (
    ConstantCallableSpec,
    CosineDecayRestartsSpec,
    CosineDecaySpec,
    ExponentialDecaySpec,
    ImportedScheduleSpec,
    InverseTimeDecaySpec,
    PiecewiseConstantDecaySpec,
    PolynomialDecaySpec,
    WarmupCosineSpec,
)

BuiltinSchedule: TypeAlias = (
    ExponentialDecaySpec
    | InverseTimeDecaySpec
    | PolynomialDecaySpec
    | PiecewiseConstantDecaySpec
    | CosineDecaySpec
    | CosineDecayRestartsSpec
    | WarmupCosineSpec
    | ConstantCallableSpec
)


class Rates(NamedTuple):
    """Learning rates of n steps in closed form.

    Attributes:
        values: Shape (n,).
        judged: Steps at which a rate is used at all, shape (n,).
    """

    values: Float64
    judged: Bools


@invariant(
    "learning_rate_follows_schedule",
    source="Keras, keras.optimizers.schedules, LearningRateScheduler; 001, 002, 004",
)
def learning_rate_follows_schedule(view: View, reason: Reason) -> tuple[Violation, ...]:
    """The learning rate of each update is the closed form of the updates counted before it.

    A constant rate stays, unless a callback sets it: a scheduler before an epoch, a plateau
    callback after one. The rate of a micro-batch that updates nothing is not used by anyone.

    Raises:
        NothingToJudge: The rate comes from the user's own code.
    """
    rates = expected_rates(view)
    got = view.trace.steps.column("learning_rate")
    wanted = np.where(_is_single(got), rates.values.astype(np.float32), rates.values)
    for step in np.flatnonzero(rates.judged).tolist():
        mismatch = view.differs(
            float(got[step]),
            float(wanted[step]),
            quantity="learning_rates",
            where="learning_rate",
            step=step,
        )
        if mismatch is not None:
            return (view.numeric(reason, mismatch),)
    return ()


def expected_rates(view: View) -> Rates:
    """Return the learning rate that each step must use.

    Raises:
        NothingToJudge: It comes from the user's own code.
    """
    rate = rate_reader(view)
    steps, length = view.trace.steps, accumulation_steps(view)
    before, after = steps.column("iterations_before"), steps.column("iterations_after")
    judged = np.ones(len(steps), dtype=bool) if length == 1 else after > before
    values = [rate(step, int(count)) for step, count in enumerate(before)]
    return Rates(np.array(values, dtype=np.float64), judged)


def rate_reader(view: View) -> Callable[[int, int], float]:
    """Return a function from a step, and the updates before it, to the rate it must use.

    Raises:
        NothingToJudge: The rate comes from the user's own code.
    """
    optimizer = view.pipeline.optimizer
    if isinstance(optimizer, ImportedOptimizerSpec):
        raise NothingToJudge(_foreign("optimizer", optimizer.import_))
    rate = builtin_optimizer(view).learning_rate
    if isinstance(rate, float | int):
        by_epoch = _by_epoch(view, float(rate))
        return lambda step, _: float(by_epoch[step])
    if isinstance(rate, ImportedScheduleSpec):
        raise NothingToJudge(_foreign("learning_rate", rate.import_))
    schedule = rate
    return lambda _, count: schedule_at(schedule, count)


def schedule_at(schedule: BuiltinSchedule, count: int) -> float:
    """Return the rate that a schedule gives to the update after `count` others."""
    match schedule:
        case ConstantCallableSpec():
            return schedule.value
        case WarmupCosineSpec():
            arguments = schedule.model_dump(exclude={"kind", "peak"}) | {"peak_lr": schedule.peak}
            return learning_rate_at(schedule.kind, count, **arguments)
        case (
            ExponentialDecaySpec()
            | InverseTimeDecaySpec()
            | PolynomialDecaySpec()
            | PiecewiseConstantDecaySpec()
            | CosineDecaySpec()
            | CosineDecayRestartsSpec()
        ):
            arguments = schedule.model_dump(exclude={"kind"})
            return learning_rate_at(schedule.kind, count, **arguments)
        case _:  # pragma: no cover
            assert_never(schedule)


def _by_epoch(view: View, rate: float) -> Float64:
    """Return a constant rate as the callbacks leave it, for each step."""
    decay, plateau = None, False
    for callback in view.pipeline.callbacks:
        if isinstance(callback, ImportedCallbackSpec):
            raise NothingToJudge(_foreign("callbacks", callback.import_))
        if isinstance(callback, LearningRateSchedulerSpec):
            return _scheduled(view, callback, rate)
        if isinstance(callback, StepDecaySpec):
            decay = callback
        plateau = plateau or isinstance(callback, ReduceLROnPlateauSpec)
    epochs = view.trace.steps.epoch
    if decay is not None:
        rates = {
            int(epoch): step_decay(
                int(epoch),
                initial_learning_rate=decay.initial,
                drop=decay.drop,
                epochs_drop=decay.epochs_drop,
            )
            for epoch in set(epochs.tolist())
        }
        return np.array([rates[int(epoch)] for epoch in epochs], dtype=np.float64)
    after = {record.epoch: record.learning_rate for record in view.trace.epochs} if plateau else {}
    left = [after.get(int(epoch) - 1) for epoch in epochs]
    return np.array([rate if value is None else value for value in left], dtype=np.float64)


def _scheduled(view: View, scheduler: LearningRateSchedulerSpec, rate: float) -> Float64:
    """Return a rate that a table sets at the begin of each epoch, for each step.

    A relative table is shown the rate that the optimizer holds, rounded as its variable is.
    """
    single = _is_single(view.trace.steps.column("learning_rate"))
    rates: dict[int, float] = {}
    for epoch in dict.fromkeys(view.trace.steps.epoch.tolist()):
        value = scheduler.values[min(epoch, len(scheduler.values) - 1)]
        rate = (
            (float(np.float32(rate)) if single else rate) * value if scheduler.relative else value
        )
        rates[epoch] = rate
    return np.array([rates[epoch] for epoch in view.trace.steps.epoch.tolist()], dtype=np.float64)


def _is_single(rates: Float64) -> bool:
    """Say whether the rates were held in float32: then so is what is expected of them."""
    return bool((rates.astype(np.float32) == rates).all())


def _foreign(field: str, name: str) -> str:
    return (
        f"{field} must be built in for the learning rate to be judged, got {name!r}. "
        "Expect relations of it instead, such as unchanged_by."
    )
