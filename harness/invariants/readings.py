"""Facts that several checks read from a pipeline and its trace: windows, scales, gradients."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from harness.invariants.base import NothingToJudge, Reason, View, Violation
from harness.oracles.arrays import Float64
from harness.oracles.averaging import is_update_step
from harness.oracles.loss_scaling import DynamicLossScale, all_finite
from harness.spec.callbacks import MonitorSpec
from harness.spec.optimizer import BuiltinOptimizer, ImportedOptimizerSpec, MultiOptimizerSpec
from harness.spec.training import ApplyGradientsSpec, FitSpec, LegacyGlobalStepSpec
from harness.trace.stop import StopReason

Bools: TypeAlias = NDArray[np.bool]
Gradients: TypeAlias = tuple[Float64 | None, ...]

BROKEN_OFF = frozenset(
    {
        StopReason.CALLBACK_ERROR,
        StopReason.OUT_OF_MEMORY,
        StopReason.KILLED,
        StopReason.TIMED_OUT,
        StopReason.INTERRUPTED,
        StopReason.ERROR,
    }
)
"""Reasons after which Keras runs neither the end of the epoch nor that of the training."""

CUT_SHORT = BROKEN_OFF | {
    StopReason.CALLBACK_REQUEST,
    StopReason.NON_FINITE,
    StopReason.MAX_STEPS,
}
"""Reasons for which the last epoch may end in the middle."""


def builtin_optimizer(view: View) -> BuiltinOptimizer:
    """Return the optimizer, unless it is one that no oracle knows.

    Raises:
        NothingToJudge: It is the user's own.
    """
    optimizer = view.pipeline.optimizer
    if isinstance(optimizer, ImportedOptimizerSpec):
        message = (
            f"optimizer must be a built-in one to be judged, got {optimizer.import_!r}. "
            "Expect relations of it instead, such as unchanged_by."
        )
        raise NothingToJudge(message)
    if isinstance(optimizer, MultiOptimizerSpec):
        message = "optimizer must be a single one to be judged as a whole, got a multi_optimizer."
        raise NothingToJudge(message)
    return optimizer


def accumulation_steps(view: View) -> int:
    """Return the micro-batches per update, 1 without accumulation."""
    optimizer = view.pipeline.optimizer
    if isinstance(optimizer, ImportedOptimizerSpec | MultiOptimizerSpec):
        return 1
    return optimizer.gradient_accumulation_steps or 1


def counter_path(view: View) -> str | None:
    """Return the path of the optimizer's raw counter: the innermost, where one wraps another."""
    paths = view.state.paths("iterations")
    return paths[-1] if paths else None


def raw_counts(view: View) -> tuple[int, NDArray[np.int64], NDArray[np.int64], int]:
    """Return the raw counter when training began, before and after each step, and at the end.

    Raises:
        NothingToJudge: The optimizer has no counter.
    """
    path = counter_path(view)
    if path is None:
        message = "the optimizer must have a counter to be judged, got one without iterations."
        raise NothingToJudge(message)
    state = view.state
    before, after = state.before_of(path), state.after_of(path)
    return (
        int(state.initial_of(path)),
        before.reshape(len(state)).astype(np.int64),
        after.reshape(len(state)).astype(np.int64),
        int(state.final_of(path)),
    )


def loss_scale_policy(view: View) -> DynamicLossScale | float | None:
    """Return how the loss is scaled: by an automaton, by a fixed factor, or not at all.

    `compile` wraps the optimizer by itself under mixed_float16, unless told not to.
    """
    precision, compiled = view.pipeline.precision, view.pipeline.compile
    if precision.loss_scale is not None:
        return DynamicLossScale(
            initial_scale=precision.loss_scale.initial_scale,
            dynamic_growth_steps=precision.loss_scale.dynamic_growth_steps,
        )
    unwrapped = isinstance(view.pipeline.training, ApplyGradientsSpec | LegacyGlobalStepSpec)
    if precision.policy == "mixed_float16" and compiled.auto_scale_loss and not unwrapped:
        return DynamicLossScale()
    optimizer = view.pipeline.optimizer
    if isinstance(optimizer, ImportedOptimizerSpec):
        return None
    return optimizer.loss_scale_factor


def is_dynamic(view: View) -> bool:
    """Say whether a non-finite gradient skips its step."""
    return isinstance(loss_scale_policy(view), DynamicLossScale)


def gradient_reader(view: View) -> Callable[[int], Gradients]:
    """Return a function from a step to the raw gradients in it, None where there was none."""
    table = view.gradients
    absent = {
        (event.name, event.step) for event in view.trace.events if event.kind == "no_gradient"
    }
    columns = [(variable, table.raw_of(variable.path)) for variable in table.variables]

    def read(step: int) -> Gradients:
        return tuple(
            None if {(variable.path, step), (variable.path, None)} & absent else raw[step]
            for variable, raw in columns
        )

    return read


def finite_steps(view: View) -> Bools:
    """Return for each step whether all its gradients were finite, shape (n,)."""
    read = gradient_reader(view)
    steps = len(view.trace.steps)
    return np.array([all_finite(read(step)) for step in range(steps)], dtype=bool)


def skipped_steps(view: View) -> Bools:
    """Return for each step whether loss scaling had to skip it, shape (n,)."""
    if not is_dynamic(view):
        return np.zeros(len(view.trace.steps), dtype=bool)
    return ~finite_steps(view)


def window_ends(view: View) -> Bools:
    """Return for each step whether it must update the weights, shape (n,).

    That is when the raw counter, as it was recorded before the step, completes a window, and the
    step is not skipped.
    """
    _, before, _, _ = raw_counts(view)
    length = accumulation_steps(view)
    due = np.array([is_update_step(int(count), length) for count in before], dtype=bool)
    return due & ~skipped_steps(view)


def uses_fit(view: View) -> bool:
    """Say whether Keras itself runs the loop."""
    return isinstance(view.pipeline.training, FitSpec)


def is_scripted(view: View, key: str) -> bool:
    """Say whether a callback writes this log by script."""
    return any(
        isinstance(callback, MonitorSpec) and callback.scripted and callback.monitor == key
        for callback in view.pipeline.callbacks
    )


def moved(view: View, reason: Reason, step: int, roles: Iterable[str]) -> Violation | None:
    """Return the first variable of the given roles that one step changed, by any bit."""
    exact = View(pipeline=view.pipeline, trace=view.trace)
    state = view.state
    for path in (path for role in roles for path in state.paths(role)):
        mismatch = exact.differs(
            state.after_of(path)[step],
            state.before_of(path)[step],
            quantity="state",
            where=path,
            step=step,
        )
        if mismatch is not None:
            return exact.numeric(reason, mismatch)
    return None
