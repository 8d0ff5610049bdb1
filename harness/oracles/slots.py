"""Optimizer slots under the names Keras gives them, and one algorithm step on them.

The variables that Keras creates per trainable variable are called
``<variable path with underscores>_<slot>``; the slots are

    sgd       momentum (only if momentum is not 0)
    adam      momentum, velocity, velocity_hat (only with amsgrad)
    adamw     as adam
    rmsprop   velocity, momentum (only if momentum > 0), average_gradient (only if centered)
    adagrad   accumulator

and those of `harness.oracles.algorithms`.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from harness.oracles.adagrad import AdagradState, adagrad_start, adagrad_step
from harness.oracles.adam import AdamState, adam_step
from harness.oracles.algorithms import ALGORITHMS, Update
from harness.oracles.arrays import Float64, frozen
from harness.oracles.nadam import nadam_product
from harness.oracles.rmsprop import RmspropState, rmsprop_step
from harness.oracles.rule import UpdateRule
from harness.oracles.sgd import SgdState, sgd_step

Slots = Mapping[str, Float64]


def slot_names(rule: UpdateRule) -> tuple[str, ...]:
    """Return the names of the slots a vector has under `rule`, in the order of Keras."""
    match rule.kind:
        case "sgd":
            return ("momentum",) if rule.number("momentum") else ()
        case "adam" | "adamw":
            return ("momentum", "velocity", *(("velocity_hat",) * rule.flag("amsgrad")))
        case "rmsprop":
            return (
                "velocity",
                *(("momentum",) * (rule.number("momentum") > 0)),
                *(("average_gradient",) * rule.flag("centered")),
            )
        case "adagrad":
            return ("accumulator",)
        case _:
            return tuple(start_slots(rule, np.zeros(1)))


def start_slots(rule: UpdateRule, parameter: Float64, index: int | None = None) -> Slots:
    """Return the slots of one variable before its first update.

    Args:
        rule: Algorithm and constants.
        parameter: Shape (*dims); most slots have it too.
        index: Which variable it is, for what a rule says of each; None goes by the shape alone.
    """
    if rule.kind in ALGORITHMS:
        slots = dict(ALGORITHMS[rule.kind].start(rule, parameter))
        if rule.kind == "muon" and _is_for_adam(rule, parameter, index):
            slots["velocity"] = np.zeros(np.shape(parameter))
        return MappingProxyType({name: frozen(value) for name, value in slots.items()})
    if rule.kind == "adagrad":
        start = adagrad_start(
            parameter,
            initial_accumulator_value=rule.number("initial_accumulator_value"),
            float32_constants=rule.float32_constants,
        )
        return MappingProxyType({"accumulator": frozen(start.accumulator)})
    zeros = frozen(np.zeros(np.shape(parameter)))
    return MappingProxyType(dict.fromkeys(slot_names(rule), zeros))


def _is_for_adam(rule: UpdateRule, parameter: Float64, index: int | None) -> bool:
    if index is None or rule.adam_mask is None:
        return np.ndim(parameter) != 2  # noqa: PLR2004 - a matrix
    return rule.adam_mask[index]


def shared_slots(rule: UpdateRule, updates: int) -> Mapping[str, float]:
    """Return the slots that all variables have in common, after so many updates."""
    if rule.kind == "nadam":
        return {"u_product": nadam_product(updates, beta_1=rule.number("beta_1"))}
    return {}


def decay_of(rule: UpdateRule, slots: Slots) -> float | None:
    """Return the weight decay of the variable that has these slots."""
    if rule.kind == "muon" and "velocity" in slots:
        return rule.optional("adam_weight_decay")
    return rule.weight_decay


def algorithm_step(
    rule: UpdateRule,
    parameter: Float64,
    gradient: Float64,
    slots: Slots,
    *,
    learning_rate: float,
    updates: int,
) -> tuple[Float64, Slots]:
    """Return parameter and slots of one variable after the algorithm's own step.

    Clipping, weight decay and averaging are not done here; see `harness.oracles.update`.

    Args:
        rule: Algorithm and constants.
        parameter: Shape (*dims), already decayed.
        gradient: Shape (*dims), unscaled, averaged over the window and clipped.
        slots: The variable's slots, each of shape (*dims).
        learning_rate: Step size of this update.
        updates: Updates of the whole optimizer before this one, for the bias correction.

    Raises:
        ShapeError: `gradient` or a slot does not have the parameter's shape.
    """
    parameter, new = _stepped(
        rule, parameter, gradient, slots, learning_rate=learning_rate, updates=updates
    )
    kept = {
        name: frozen(value) for name, value in new.items() if name in slots and value is not None
    }
    return parameter, MappingProxyType(kept)


def _stepped(
    rule: UpdateRule,
    parameter: Float64,
    gradient: Float64,
    slots: Slots,
    *,
    learning_rate: float,
    updates: int,
) -> tuple[Float64, Mapping[str, Float64 | None]]:
    """Parameter after the step, and every slot that the algorithm could have."""
    zeros = np.zeros(np.shape(parameter))
    match rule.kind:
        case "sgd":
            parameter, sgd = sgd_step(
                parameter,
                gradient,
                SgdState(slots.get("momentum", zeros)),
                learning_rate=learning_rate,
                momentum=rule.number("momentum"),
                nesterov=rule.flag("nesterov"),
                float32_constants=rule.float32_constants,
            )
            return parameter, sgd._asdict()
        case "adam" | "adamw":
            parameter, adam = adam_step(
                parameter,
                gradient,
                AdamState(updates, **slots),
                learning_rate=learning_rate,
                beta_1=rule.number("beta_1"),
                beta_2=rule.number("beta_2"),
                epsilon=rule.number("epsilon"),
                float32_constants=rule.float32_constants,
            )
            return parameter, {name: getattr(adam, name) for name in slots}
        case "rmsprop":
            state = {"momentum": zeros, "average_gradient": zeros, **slots}
            parameter, rmsprop = rmsprop_step(
                parameter,
                gradient,
                RmspropState(**state),
                learning_rate=learning_rate,
                rho=rule.number("rho"),
                momentum=rule.number("momentum"),
                epsilon=rule.number("epsilon"),
                centered=rule.flag("centered"),
            )
            return parameter, rmsprop._asdict()
        case "adagrad":
            parameter, adagrad = adagrad_step(
                parameter,
                gradient,
                AdagradState(**slots),
                learning_rate=learning_rate,
                epsilon=rule.number("epsilon"),
            )
            return parameter, adagrad._asdict()
        case _:
            update = Update(rule, parameter, gradient, slots, learning_rate, updates)
            return ALGORITHMS[rule.kind].step(update)
