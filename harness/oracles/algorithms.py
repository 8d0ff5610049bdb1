"""Start and step of the optimizers beyond the classic ones, on slots under Keras' names.

The slots are

    adadelta              accumulated_grad, accumulated_delta_var
    adamax                momentum, norm
    nadam                 momentum, velocity; u_product is shared by all variables
    lion                  momentum
    ftrl                  accumulator, linear
    lamb                  momentum, velocity
    adafactor             velocity; from rank 2 on also r and c
    schedule_free_adamw   momentum, velocity
    muon                  momentum; velocity where Adam updates the variable
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from harness.oracles.adadelta import AdadeltaState, adadelta_step
from harness.oracles.adafactor import AdafactorState, adafactor_start, adafactor_step
from harness.oracles.adam import AdamState, adam_step
from harness.oracles.adamax import AdamaxState, adamax_step
from harness.oracles.arrays import Float64
from harness.oracles.ftrl import FtrlState, ftrl_start, ftrl_step
from harness.oracles.lamb import LambState, lamb_step
from harness.oracles.lion import LionState, lion_step
from harness.oracles.muon import MuonState, muon_step
from harness.oracles.nadam import NadamState, nadam_step
from harness.oracles.rule import UpdateRule
from harness.oracles.schedule_free import ScheduleFreeState, schedule_free_step

Slots = Mapping[str, Float64]


class Update(NamedTuple):
    """One variable at one update.

    Attributes:
        rule: Algorithm and constants.
        parameter: Shape (*dims), already decayed.
        gradient: Shape (*dims), unscaled, averaged over the window and clipped.
        slots: The variable's slots.
        learning_rate: Step size of this update.
        updates: Updates of the whole optimizer before this one.
    """

    rule: UpdateRule
    parameter: Float64
    gradient: Float64
    slots: Slots
    learning_rate: float
    updates: int


Stepped = tuple[Float64, Slots]


class Algorithm(NamedTuple):
    """How the slots of one kind of optimizer start, and its step."""

    start: Callable[[UpdateRule, Float64], Slots]
    step: Callable[[Update], Stepped]


def _zeros(*names: str) -> Callable[[UpdateRule, Float64], Slots]:
    def start(rule: UpdateRule, parameter: Float64) -> Slots:  # noqa: ARG001 - of one shape
        return dict.fromkeys(names, np.zeros(np.shape(parameter)))

    return start


def _adadelta(update: Update) -> Stepped:
    after, state = adadelta_step(
        update.parameter,
        update.gradient,
        AdadeltaState(**update.slots),
        learning_rate=update.learning_rate,
        rho=update.rule.number("rho"),
        epsilon=update.rule.number("epsilon"),
    )
    return after, state._asdict()


def _adamax(update: Update) -> Stepped:
    rule = update.rule
    after, state = adamax_step(
        update.parameter,
        update.gradient,
        AdamaxState(update.updates, **update.slots),
        learning_rate=update.learning_rate,
        beta_1=rule.number("beta_1"),
        beta_2=rule.number("beta_2"),
        epsilon=rule.number("epsilon"),
        float32_constants=rule.float32_constants,
    )
    return after, {"momentum": state.momentum, "norm": state.norm}


def _nadam(update: Update) -> Stepped:
    rule = update.rule
    after, state = nadam_step(
        update.parameter,
        update.gradient,
        NadamState(update.updates, **update.slots),
        learning_rate=update.learning_rate,
        beta_1=rule.number("beta_1"),
        beta_2=rule.number("beta_2"),
        epsilon=rule.number("epsilon"),
        float32_constants=rule.float32_constants,
    )
    return after, {"momentum": state.momentum, "velocity": state.velocity}


def _lion(update: Update) -> Stepped:
    rule = update.rule
    after, state = lion_step(
        update.parameter,
        update.gradient,
        LionState(**update.slots),
        learning_rate=update.learning_rate,
        beta_1=rule.number("beta_1"),
        beta_2=rule.number("beta_2"),
        float32_constants=rule.float32_constants,
    )
    return after, state._asdict()


def _ftrl_start(rule: UpdateRule, parameter: Float64) -> Slots:
    return ftrl_start(
        parameter,
        initial_accumulator_value=rule.number("initial_accumulator_value"),
        float32_constants=rule.float32_constants,
    )._asdict()


def _ftrl(update: Update) -> Stepped:
    rule = update.rule
    after, state = ftrl_step(
        update.parameter,
        update.gradient,
        FtrlState(**update.slots),
        learning_rate=update.learning_rate,
        learning_rate_power=rule.number("learning_rate_power"),
        l1_regularization_strength=rule.number("l1_regularization_strength"),
        l2_regularization_strength=rule.number("l2_regularization_strength"),
        l2_shrinkage_regularization_strength=rule.number("l2_shrinkage_regularization_strength"),
        beta=rule.number("beta"),
    )
    return after, state._asdict()


def _lamb(update: Update) -> Stepped:
    rule = update.rule
    after, state = lamb_step(
        update.parameter,
        update.gradient,
        LambState(update.updates, **update.slots),
        learning_rate=update.learning_rate,
        beta_1=rule.number("beta_1"),
        beta_2=rule.number("beta_2"),
        epsilon=rule.number("epsilon"),
        float32_constants=rule.float32_constants,
    )
    return after, {"momentum": state.momentum, "velocity": state.velocity}


def _adafactor_slots(state: AdafactorState) -> Slots:
    if state.r is None or state.c is None:
        return {"velocity": state.v}
    return {"r": state.r, "c": state.c, "velocity": state.v}


def _adafactor_start(rule: UpdateRule, parameter: Float64) -> Slots:  # noqa: ARG001 - one shape
    return _adafactor_slots(adafactor_start(parameter))


def _adafactor(update: Update) -> Stepped:
    rule, slots = update.rule, update.slots
    after, state = adafactor_step(
        update.parameter,
        update.gradient,
        AdafactorState(update.updates, slots["velocity"], slots.get("r"), slots.get("c")),
        learning_rate=update.learning_rate,
        beta_2_decay=rule.number("beta_2_decay"),
        epsilon_1=rule.number("epsilon_1"),
        epsilon_2=rule.number("epsilon_2"),
        clip_threshold=rule.number("clip_threshold"),
        relative_step=rule.flag("relative_step"),
        float32_constants=rule.float32_constants,
    )
    return after, _adafactor_slots(state)


def _schedule_free_start(rule: UpdateRule, parameter: Float64) -> Slots:  # noqa: ARG001 - its value
    return {"momentum": parameter, "velocity": np.zeros(np.shape(parameter))}


def _schedule_free(update: Update) -> Stepped:
    rule = update.rule
    after, state = schedule_free_step(
        update.parameter,
        update.gradient,
        ScheduleFreeState(update.updates, **update.slots),
        learning_rate=update.learning_rate,
        beta_1=rule.number("beta_1"),
        beta_2=rule.number("beta_2"),
        epsilon=rule.number("epsilon"),
        warmup_steps=int(rule.number("warmup_steps")),
        float32_constants=rule.float32_constants,
    )
    return after, {"momentum": state.momentum, "velocity": state.velocity}


def _muon(update: Update) -> Stepped:
    """Muon's own step, or Adam's for a variable that has a second moment."""
    rule, slots = update.rule, update.slots
    if "velocity" in slots:
        after, adam = adam_step(
            update.parameter,
            update.gradient,
            AdamState(update.updates, slots["momentum"], slots["velocity"]),
            learning_rate=update.learning_rate * rule.number("adam_lr_ratio"),
            beta_1=rule.number("adam_beta_1"),
            beta_2=rule.number("adam_beta_2"),
            epsilon=rule.number("epsilon"),
            float32_constants=rule.float32_constants,
        )
        return after, {"momentum": adam.momentum, "velocity": adam.velocity}
    after, state = muon_step(
        update.parameter,
        update.gradient,
        MuonState(slots["momentum"]),
        learning_rate=update.learning_rate,
        momentum=rule.number("momentum"),
        nesterov=rule.flag("nesterov"),
        ns_steps=int(rule.number("ns_steps")),
        coefficients=(rule.number("muon_a"), rule.number("muon_b"), rule.number("muon_c")),
        rms_rate=rule.optional("rms_rate"),
    )
    return after, state._asdict()


ALGORITHMS: Mapping[str, Algorithm] = MappingProxyType(
    {
        "adadelta": Algorithm(_zeros("accumulated_grad", "accumulated_delta_var"), _adadelta),
        "adamax": Algorithm(_zeros("momentum", "norm"), _adamax),
        "nadam": Algorithm(_zeros("momentum", "velocity"), _nadam),
        "lion": Algorithm(_zeros("momentum"), _lion),
        "ftrl": Algorithm(_ftrl_start, _ftrl),
        "lamb": Algorithm(_zeros("momentum", "velocity"), _lamb),
        "adafactor": Algorithm(_adafactor_start, _adafactor),
        "schedule_free_adamw": Algorithm(_schedule_free_start, _schedule_free),
        "muon": Algorithm(_zeros("momentum"), _muon),
    }
)
"""By kind; those of `harness.oracles.slots` itself are not among them."""
