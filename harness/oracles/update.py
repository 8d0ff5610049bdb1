"""The whole path from gradients to new weights: what one `apply` of a Keras optimizer should do.

Order within one call, as documented:

1. dynamic loss scale: a non-finite gradient halves the scale and skips everything else;
2. accumulation: the gradients join their window; only its last step goes on;
3. the window's sum is divided by its length;
4. clipping, on that mean;
5. decoupled weight decay, ``w - w * weight_decay * learning_rate``;
6. the algorithm's own step, its bias correction counting updates;
7. the constraint of each variable that had a gradient;
8. the moving average of the weights, once per update;
9. every `ema_overwrite_frequency` updates the averages replace the weights.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.oracles.arrays import (
    ArgumentError,
    Float64,
    frozen,
    require_same_length,
    require_same_shape,
)
from harness.oracles.averaging import (
    accumulated,
    averaged_weights,
    decayed_weights,
    is_update_step,
    mean_gradient,
    overwrites_weights,
)
from harness.oracles.clipping import clip
from harness.oracles.constraints import projected
from harness.oracles.loss_scaling import (
    DynamicLossScale,
    LossScaleState,
    all_finite,
    next_scale,
)
from harness.oracles.rule import UpdateRule, make_rule
from harness.oracles.slots import (
    algorithm_step,
    decay_of,
    shared_slots,
    slot_names,
    start_slots,
)

__all__ = [
    "OptimizerState",
    "UpdateResult",
    "UpdateRule",
    "apply_gradients",
    "finalized_parameters",
    "initial_state",
    "make_rule",
    "shared_slots",
    "slot_names",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerState:
    """All an optimizer remembers between two calls; arrays are read-only, one per variable.

    Attributes:
        iterations: Keras' raw counter: calls that were not skipped, micro-steps included.
        updates: Calls that changed the weights.
        slots: Per variable its slots, under the names of `slot_names`.
        accumulators: Per variable the gradient sum of the open window, shape (*dims); empty
            without accumulation.
        contributions: Per variable the micro-steps of the open window that gave it a gradient.
        averages: Per variable its moving average, shape (*dims), zeros before the first update;
            empty without EMA.
        scale: Factor for the next loss, 1 without loss scaling.
        finite_steps: Finite steps since the scale last changed, 0 without dynamic scaling.
    """

    iterations: int
    updates: int
    slots: tuple[Mapping[str, Float64], ...]
    accumulators: tuple[Float64, ...]
    contributions: tuple[int, ...]
    averages: tuple[Float64, ...]
    scale: float
    finite_steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateResult:
    """What one call did.

    Attributes:
        parameters: Weights after the call, one read-only array per variable.
        state: Optimizer state after the call.
        updated: Whether this call was an update (of any variable).
        skipped: Whether a non-finite gradient made the call do nothing.
        clipped: Gradients that reached the algorithm: averaged over the window and clipped,
            None where a variable had none. None as a whole if nothing was updated.
    """

    parameters: tuple[Float64, ...]
    state: OptimizerState
    updated: bool
    skipped: bool
    clipped: tuple[Float64 | None, ...] | None


def initial_state(rule: UpdateRule, parameters: Sequence[Float64]) -> OptimizerState:
    """Return the state before the first call, for variables of the shapes of `parameters`.

    Raises:
        ShapeError: A mask of the rule is not as long as `parameters`.
    """
    if rule.adam_mask is not None:
        require_same_length(len(parameters), adam_mask=rule.adam_mask)
    if rule.decay_mask is not None:
        require_same_length(len(parameters), decay_mask=rule.decay_mask)
    if rule.projections is not None:
        require_same_length(len(parameters), projections=rule.projections)
    zeros = tuple(frozen(np.zeros(np.shape(parameter))) for parameter in parameters)
    scale: float = 1.0
    if isinstance(rule.loss_scale, DynamicLossScale):
        scale = rule.loss_scale.initial_scale
    elif rule.loss_scale is not None:
        scale = rule.loss_scale
    return OptimizerState(
        iterations=0,
        updates=0,
        slots=tuple(
            start_slots(rule, parameter, index) for index, parameter in enumerate(parameters)
        ),
        accumulators=zeros if _window(rule) > 1 else (),
        contributions=(0,) * len(zeros) if _window(rule) > 1 else (),
        averages=zeros if rule.use_ema else (),
        scale=float(scale),
        finite_steps=0,
    )


def apply_gradients(
    rule: UpdateRule,
    state: OptimizerState,
    parameters: Sequence[Float64],
    gradients: Sequence[Float64 | None],
    *,
    learning_rate: float,
) -> UpdateResult:
    """Return weights and state after one call with the gradients of one (micro-)batch.

    A variable without gradient stays as it is, slots and accumulator included, and does not
    decay; its moving average still takes in the unchanged weights. Within a window it counts as
    having had a gradient if any of its micro-steps gave one.

    Args:
        rule: How gradients become new weights.
        state: State before the call.
        parameters: Weights before the call, one array of shape (*dims) per variable.
        gradients: One array per variable, loss units per parameter unit, with the loss scale
            divided out; None where a variable has no gradient.
        learning_rate: Learning rate of this call; a schedule is evaluated at `state.iterations`.

    Raises:
        ArgumentError: No variable has a gradient.
        ShapeError: Arrays don't match the variables in number or shape.
    """
    require_same_length(len(state.slots), parameters=parameters, gradients=gradients)
    before = tuple(frozen(parameter) for parameter in parameters)
    for index, (parameter, gradient) in enumerate(zip(before, gradients, strict=True)):
        if gradient is not None:
            require_same_shape(parameter, **{f"gradients[{index}]": gradient})
    if all(gradient is None for gradient in gradients):
        msg = "gradients must hold at least one array, got None for every variable."
        raise ArgumentError(msg)
    if isinstance(rule.loss_scale, DynamicLossScale):
        finite = all_finite(gradients)
        scale = next_scale(
            LossScaleState(state.scale, state.finite_steps),
            finite,
            growth_steps=rule.loss_scale.dynamic_growth_steps,
        )
        state = replace(state, scale=scale.scale, finite_steps=scale.finite_steps)
        if not finite:
            return UpdateResult(
                parameters=before, state=state, updated=False, skipped=True, clipped=None
            )
    is_update = is_update_step(state.iterations, rule.gradient_accumulation_steps)
    if _window(rule) > 1:
        state = _add_to_window(state, gradients)
        gradients = _window_means(rule, state)
    state = replace(state, iterations=state.iterations + 1)
    if not is_update:
        return UpdateResult(
            parameters=before, state=state, updated=False, skipped=False, clipped=None
        )
    return _update(rule, state, before, gradients, learning_rate)


def finalized_parameters(
    rule: UpdateRule, state: OptimizerState, parameters: Sequence[Float64]
) -> tuple[Float64, ...]:
    """Return the weights `fit` leaves behind: the moving averages with EMA, else `parameters`.

    Before the first update there is no average yet, and the weights stay.
    """
    source = state.averages if rule.use_ema and state.updates else parameters
    return tuple(frozen(parameter) for parameter in source)


def _window(rule: UpdateRule) -> int:
    return rule.gradient_accumulation_steps or 1


def _add_to_window(state: OptimizerState, gradients: Sequence[Float64 | None]) -> OptimizerState:
    sums = tuple(
        total if gradient is None else frozen(accumulated(total, gradient))
        for total, gradient in zip(state.accumulators, gradients, strict=True)
    )
    counts = tuple(
        count + (gradient is not None)
        for count, gradient in zip(state.contributions, gradients, strict=True)
    )
    return replace(state, accumulators=sums, contributions=counts)


def _window_means(rule: UpdateRule, state: OptimizerState) -> tuple[Float64 | None, ...]:
    return tuple(
        mean_gradient(total, _window(rule)) if count else None
        for total, count in zip(state.accumulators, state.contributions, strict=True)
    )


def _update(
    rule: UpdateRule,
    state: OptimizerState,
    parameters: tuple[Float64, ...],
    gradients: Sequence[Float64 | None],
    learning_rate: float,
) -> UpdateResult:
    clipped = clip(
        gradients,
        clipvalue=rule.clipvalue,
        clipnorm=rule.clipnorm,
        global_clipnorm=rule.global_clipnorm,
    )
    decays = rule.decay_mask or (True,) * len(parameters)
    moved: list[Float64] = []
    slots: list[Mapping[str, Float64]] = []
    projections = rule.projections or (None,) * len(parameters)
    for parameter, gradient, own, decay, projection in zip(
        parameters, clipped, state.slots, decays, projections, strict=True
    ):
        if gradient is None:
            moved.append(parameter)
            slots.append(own)
            continue
        start = _decayed(rule, own, parameter, learning_rate) if decay else parameter
        after, own_after = algorithm_step(
            rule, start, gradient, own, learning_rate=learning_rate, updates=state.updates
        )
        moved.append(frozen(after if projection is None else projected(projection, after)))
        slots.append(own_after)
    state = replace(
        state,
        updates=state.updates + 1,
        slots=tuple(slots),
        accumulators=tuple(frozen(np.zeros_like(total)) for total in state.accumulators),
        contributions=(0,) * len(state.contributions),
    )
    weights, state = _average(rule, state, tuple(moved))
    return UpdateResult(
        parameters=weights,
        state=state,
        updated=True,
        skipped=False,
        clipped=tuple(None if gradient is None else frozen(gradient) for gradient in clipped),
    )


def _decayed(
    rule: UpdateRule, slots: Mapping[str, Float64], parameter: Float64, learning_rate: float
) -> Float64:
    decay = decay_of(rule, slots)
    if decay is None:
        return parameter
    return decayed_weights(
        parameter,
        learning_rate=learning_rate,
        weight_decay=decay,
        float32_constants=rule.float32_constants,
    )


def _average(
    rule: UpdateRule, state: OptimizerState, parameters: tuple[Float64, ...]
) -> tuple[tuple[Float64, ...], OptimizerState]:
    if not rule.use_ema:
        return parameters, state
    averages = tuple(
        frozen(
            averaged_weights(
                average, parameter, ema_momentum=rule.ema_momentum, updates=state.updates
            )
        )
        for average, parameter in zip(state.averages, parameters, strict=True)
    )
    overwrites = overwrites_weights(state.updates, rule.ema_overwrite_frequency)
    return averages if overwrites else parameters, replace(state, averages=averages)
