"""Oracle replay: the recorded gradients through the oracle's optimizer, step by step.

The oracle starts from the variables as they were when training began and from then on carries its
own state: only gradients and learning rates are taken from the trace. So an error stays visible
at the step that made it, and everything an optimizer remembers is compared at every step.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from harness.invariants.base import NothingToJudge, Reason, View, Violation
from harness.invariants.constants import adam_mask, hyperparameters
from harness.invariants.groups import parts
from harness.invariants.projections import projections
from harness.invariants.readings import (
    BROKEN_OFF,
    builtin_optimizer,
    counter_path,
    gradient_reader,
    loss_scale_policy,
    uses_fit,
)
from harness.oracles.arrays import Float64
from harness.oracles.update import (
    OptimizerState,
    UpdateRule,
    apply_gradients,
    finalized_parameters,
    initial_state,
    make_rule,
    shared_slots,
)
from harness.spec.callbacks import (
    EarlyStoppingSpec,
    ImportedCallbackSpec,
    SwapEMAWeightsSpec,
)
from harness.spec.optimizer import BuiltinOptimizer
from harness.spec.training import LegacyGlobalStepSpec
from harness.trace.mismatch import Labels, Mismatch, Phase
from harness.trace.recording import Recording
from harness.trace.state import StateTable, VariableInfo

RECORDS = Recording.of("gradients", "state")
"""What a replay needs."""

REASON = Reason(
    check="matches_oracle.replay",
    why="The optimizer does with the recorded gradients what its documentation says "
    "[Keras, keras.optimizers; the papers cited by each oracle]",
)


class Snapshot(NamedTuple):
    """All that the oracle expects of the variables at one moment."""

    parameters: tuple[Float64, ...]
    state: OptimizerState


class Expected(NamedTuple):
    """One variable and the value the oracle expects of it."""

    path: str
    value: Float64
    quantity: str


@np.errstate(all="ignore")
def check_replay(view: View, reason: Reason = REASON) -> tuple[Violation, ...]:
    """Return the first place at which weights, slots, averages or counts leave the oracle's path.

    Raises:
        NothingToJudge: The optimizer is the user's own.
        HarnessUsageError: Gradients or variables were not recorded.
    """
    for part in parts(view):
        found = _check(part, reason)
        if found:
            return found
    return ()


def _check(view: View, reason: Reason) -> tuple[Violation, ...]:
    rule = rule_of(view)
    state = view.state
    snapshot = start(view, rule)
    mismatch = compare_values(
        view, state.initial, expected_values(view, rule, snapshot), None, "initial"
    )
    if mismatch is not None:
        return (view.numeric(reason, mismatch),)
    for step, after in enumerate(trajectory(view, rule)):
        mismatch = _between(view, step)
        if mismatch is None:
            wanted = expected_values(view, rule, after)
            mismatch = compare_values(view, state.after[step], wanted, step, "after")
        if mismatch is not None:
            return (view.numeric(reason, mismatch),)
        snapshot = after
    mismatch = after_training(view, rule, snapshot)
    return () if mismatch is None else (view.numeric(reason, mismatch),)


def trajectory(view: View, rule: UpdateRule) -> Iterator[Snapshot]:
    """Yield what the oracle expects after each step.

    Where a callback is configured that may write weights between epochs, the oracle takes over
    the weights and averages it finds at the beginning of an epoch.
    """
    read, rates = gradient_reader(view), view.trace.steps.column("learning_rate")
    snapshot = start(view, rule)
    for step in range(len(view.trace.steps)):
        if _rewritten(view, step):
            snapshot = _taken_over(view, snapshot, step)
        gradients = read(step)
        if any(gradient is not None for gradient in gradients):
            result = apply_gradients(
                rule,
                snapshot.state,
                snapshot.parameters,
                gradients,
                learning_rate=float(rates[step]),
            )
            snapshot = Snapshot(result.parameters, result.state)
        yield snapshot


def rule_of(view: View) -> UpdateRule:
    """Return the oracle's rule for the optimizer of a pipeline.

    Raises:
        NothingToJudge: The optimizer is the user's own, or keeps its slots to itself.
    """
    optimizer = builtin_optimizer(view)
    if isinstance(view.pipeline.training, LegacyGlobalStepSpec):
        message = "training must use a Keras optimizer to be replayed, got one of TensorFlow 1."
        raise NothingToJudge(message)
    model = view.pipeline.model
    if getattr(model, "overwritten", ()):
        message = (
            "model must have no overwritten variables to be replayed, got some. "
            "Expect overwritten_take_their_gradient instead."
        )
        raise NothingToJudge(message)
    return make_rule(
        optimizer.kind,
        clipvalue=optimizer.clipvalue,
        clipnorm=optimizer.clipnorm,
        global_clipnorm=optimizer.global_clipnorm,
        weight_decay=optimizer.weight_decay,
        decay_mask=_decay_mask(view, optimizer),
        adam_mask=adam_mask(optimizer, view.gradients.variables),
        projections=projections(view),
        use_ema=optimizer.use_ema,
        ema_momentum=optimizer.ema_momentum,
        ema_overwrite_frequency=optimizer.ema_overwrite_frequency,
        gradient_accumulation_steps=optimizer.gradient_accumulation_steps,
        loss_scale=loss_scale_policy(view),
        **hyperparameters(optimizer),
    )


def _decay_mask(view: View, optimizer: BuiltinOptimizer) -> tuple[bool, ...] | None:
    """Return which variables decay: those whose own name holds none of the excluded parts."""
    parts = optimizer.exclude_from_weight_decay
    if not parts:
        return None
    pattern = re.compile("|".join(parts))
    names = (own_name(variable.path) for variable in view.gradients.variables)
    return tuple(pattern.search(name) is None for name in names)


def own_name(path: str) -> str:
    """Return the name of a variable without that of its layer and without its number."""
    return path.rpartition("/")[2].partition("#")[0]


def start(view: View, rule: UpdateRule) -> Snapshot:
    """Return weights and optimizer state from which the replay sets out.

    An optimizer that has not counted anything yet must be fresh; one that has is taken as it is.

    Raises:
        NothingToJudge: The optimizer has no counter.
    """
    state, path = view.state, counter_path(view)
    if path is None:
        message = "the optimizer must have a counter to be replayed, got one without iterations."
        raise NothingToJudge(message)
    parameters = tuple(state.initial_of(item.path) for item in view.gradients.variables)
    fresh = initial_state(rule, parameters)
    iterations = int(state.initial_of(path))
    if iterations == 0:
        return Snapshot(parameters, fresh)
    length = rule.gradient_accumulation_steps or 1
    resumed = OptimizerState(
        iterations=iterations,
        updates=iterations // length,
        slots=tuple(
            {name: _owned(state, "slot", item.path, name, slot) for name, slot in slots.items()}
            for item, slots in zip(view.gradients.variables, fresh.slots, strict=True)
        ),
        accumulators=_each(view, "accumulator", fresh.accumulators),
        contributions=tuple(iterations % length for _ in fresh.contributions),
        averages=_each(view, "average", fresh.averages),
        scale=_number(state, "loss_scale", fresh.scale),
        finite_steps=int(_number(state, "step_counter", 0.0)),
    )
    return Snapshot(parameters, resumed)


def _each(view: View, role: str, fresh: tuple[Float64, ...]) -> tuple[Float64, ...]:
    return tuple(
        _owned(view.state, role, item.path, None, value)
        for item, value in zip(view.gradients.variables, fresh, strict=False)
    )


def _owned(state: StateTable, role: str, owner: str, slot: str | None, default: Float64) -> Float64:
    variable = owned_by(state, role, owner, slot)
    return default if variable is None else state.initial_of(variable.path)


def _number(state: StateTable, role: str, default: float) -> float:
    paths = state.paths(role)
    return float(state.initial_of(paths[0])) if paths else default


def owned_by(
    state: StateTable, role: str, owner: str, slot: str | None = None
) -> VariableInfo | None:
    """Return the optimizer's variable of one role that serves a weight, None without one."""
    for variable in state.variables:
        same = slot is None or variable.slot == slot
        if variable.role == role and variable.slot_of == owner and same:
            return variable
    return None


def expected_values(view: View, rule: UpdateRule, snapshot: Snapshot) -> Iterator[Expected]:
    """Yield every variable that the oracle has an opinion on, weights first."""
    own, state, known = snapshot.state, view.state, view.gradients.variables
    for item, value in zip(known, snapshot.parameters, strict=True):
        yield Expected(item.path, value, "weights")
    for item, slots in zip(known, own.slots, strict=True):
        for name, value in slots.items():
            variable = owned_by(state, "slot", item.path, name)
            yield Expected(variable.path if variable else f"{item.path}:{name}", value, "slots")
    for name, number in shared_slots(rule, own.updates).items():
        found = [item.path for item in state.variables if (item.slot_of, item.slot) == (None, name)]
        yield Expected(found[0] if found else name, np.array(number), "slots")
    for role, values in (("average", own.averages), ("accumulator", own.accumulators)):
        for item, value in zip(known, values, strict=False):
            variable = owned_by(state, role, item.path)
            yield Expected(variable.path if variable else f"{item.path}:{role}", value, role)
    for name in state.paths("iterations")[-1:]:
        yield Expected(name, np.array(float(own.iterations)), "counters")
    for role, number in (("loss_scale", own.scale), ("step_counter", float(own.finite_steps))):
        for name in state.paths(role):
            yield Expected(name, np.array(number), "counters")


def compare_values(
    view: View, row: Float64, wanted: Iterator[Expected], step: int | None, phase: Phase
) -> Mismatch | None:
    """Return the first expected value that one row of the state table does not have."""
    state = view.state
    paths = {variable.path: variable for variable in state.variables}
    for path, value, quantity in wanted:
        labels: Labels = {"quantity": quantity, "where": path, "step": step, "phase": phase}
        if path not in paths:
            return Mismatch(got="absent", expected="present", **labels)
        got = row[state.column(path)].reshape(paths[path].shape)
        mismatch = view.differs(got, value, **labels)
        if mismatch is not None:
            return mismatch
    return None


def _between(view: View, step: int) -> Mismatch | None:
    """Return what moved between two steps, where nothing was allowed to."""
    state = view.state
    before = state.after[step - 1] if step else state.initial
    for variable in state.variables:
        if variable.role not in _KEPT or (variable.role in _SWAPPED and _rewritten(view, step)):
            continue
        columns = state.column(variable.path)
        mismatch = View(pipeline=view.pipeline, trace=view.trace).differs(
            state.before[step, columns].reshape(variable.shape),
            before[columns].reshape(variable.shape),
            quantity="state",
            where=variable.path,
            step=step,
            phase="before",
        )
        if mismatch is not None:
            return mismatch
    return None


_KEPT = frozenset(
    {"trainable", "slot", "average", "accumulator", "iterations", "loss_scale", "step_counter"}
)
"""Roles that nothing but a step may change."""

_SWAPPED = frozenset({"trainable", "average"})
"""Roles that callbacks may write between epochs, if they say so."""


def _rewritten(view: View, step: int) -> bool:
    """Say whether a configured callback may have written weights before this step."""
    epochs = view.trace.steps.epoch
    border = step == 0 or epochs[step] != epochs[step - 1]
    writers = (SwapEMAWeightsSpec, ImportedCallbackSpec)
    return bool(border) and any(isinstance(item, writers) for item in view.pipeline.callbacks)


def _taken_over(view: View, snapshot: Snapshot, step: int) -> Snapshot:
    state = view.state
    parameters = tuple(state.before_of(item.path)[step] for item in view.gradients.variables)
    averages = []
    for item, value in zip(view.gradients.variables, snapshot.state.averages, strict=False):
        variable = owned_by(state, "average", item.path)
        averages.append(value if variable is None else state.before_of(variable.path)[step])
    own = snapshot.state
    kept = OptimizerState(
        iterations=own.iterations,
        updates=own.updates,
        slots=own.slots,
        accumulators=own.accumulators,
        contributions=own.contributions,
        averages=tuple(averages),
        scale=own.scale,
        finite_steps=own.finite_steps,
    )
    return Snapshot(parameters, kept)


def after_training(view: View, rule: UpdateRule, snapshot: Snapshot) -> Mismatch | None:
    """Return what is wrong with the variables once training has ended.

    `fit` leaves the moving averages in the weights. What callbacks put there instead is left to
    the checks of those callbacks.
    """
    finished = uses_fit(view) and view.trace.stop.reason not in BROKEN_OFF
    parameters = snapshot.parameters
    if finished:
        parameters = finalized_parameters(rule, snapshot.state, parameters)
    wanted = expected_values(view, rule, Snapshot(parameters, snapshot.state))
    if any(
        isinstance(callback, SwapEMAWeightsSpec | ImportedCallbackSpec)
        or (isinstance(callback, EarlyStoppingSpec) and callback.restore_best_weights)
        for callback in view.pipeline.callbacks
    ):
        wanted = iter([item for item in wanted if item.quantity not in {"weights", "average"}])
    return compare_values(view, view.state.final, wanted, None, "final")
