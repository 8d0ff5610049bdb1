"""Everything that decides how gradients become new weights, as one frozen value."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from harness.oracles.arrays import (
    ArgumentError,
    require_fraction,
    require_known,
    require_positive,
)
from harness.oracles.constraints import Projection
from harness.oracles.loss_scaling import DynamicLossScale

Kind = Literal[
    "sgd",
    "adam",
    "adamw",
    "rmsprop",
    "adagrad",
    "adadelta",
    "adamax",
    "nadam",
    "lion",
    "ftrl",
    "lamb",
    "adafactor",
    "schedule_free_adamw",
    "muon",
]
KINDS: tuple[str, ...] = get_args(Kind)

Constant = float | bool | None

_MOMENTS: Mapping[str, Constant] = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
_ADAM: Mapping[str, Constant] = {**_MOMENTS, "amsgrad": False}
DEFAULTS: Mapping[str, Mapping[str, Constant]] = MappingProxyType(
    {
        "sgd": {"momentum": 0.0, "nesterov": False},
        "adam": _ADAM,
        "adamw": _ADAM,
        "rmsprop": {"rho": 0.9, "momentum": 0.0, "epsilon": 1e-7, "centered": False},
        "adagrad": {"initial_accumulator_value": 0.1, "epsilon": 1e-7},
        "adadelta": {"rho": 0.95, "epsilon": 1e-7},
        "adamax": _MOMENTS,
        "nadam": _MOMENTS,
        "lion": {"beta_1": 0.9, "beta_2": 0.99},
        "ftrl": {
            "learning_rate_power": -0.5,
            "initial_accumulator_value": 0.1,
            "l1_regularization_strength": 0.0,
            "l2_regularization_strength": 0.0,
            "l2_shrinkage_regularization_strength": 0.0,
            "beta": 0.0,
        },
        "lamb": _MOMENTS,
        "adafactor": {
            "beta_2_decay": -0.8,
            "epsilon_1": 1e-30,
            "epsilon_2": 1e-3,
            "clip_threshold": 1.0,
            "relative_step": True,
        },
        "schedule_free_adamw": {
            "beta_1": 0.9,
            "beta_2": 0.999,
            "epsilon": 1e-8,
            "warmup_steps": 0,
        },
        "muon": {
            "adam_beta_1": 0.9,
            "adam_beta_2": 0.999,
            "adam_weight_decay": 0.004,
            "epsilon": 1e-7,
            "muon_a": 3.4445,
            "muon_b": -4.775,
            "muon_c": 2.0315,
            "adam_lr_ratio": 1.0,
            "momentum": 0.95,
            "ns_steps": 5,
            "nesterov": True,
            "rms_rate": 0.2,
        },
    }
)
"""Hyperparameters of each kind besides the learning rate, with the defaults of Keras."""

ADAMW_WEIGHT_DECAY = 0.004
"""Default `weight_decay` of `keras.optimizers.AdamW`; other optimizers have none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRule:
    """How gradients become new weights; build it with `make_rule`.

    Attributes:
        kind: Algorithm.
        hyperparameters: Its constants under Keras' names, all of them present.
        clipvalue: Largest absolute value of an element, or None.
        clipnorm: Largest norm of each variable, or None.
        global_clipnorm: Largest norm over all variables, or None.
        weight_decay: Decoupled decay per unit of learning rate, or None.
        decay_mask: Per variable, whether it decays; None means all do.
        adam_mask: Per variable, whether Muon leaves it to Adam; None means all but matrices.
        projections: Per variable its constraint, or None; None means that none has one.
        use_ema: Whether a moving average of the weights is kept.
        ema_momentum: Share of the average kept per update.
        ema_overwrite_frequency: Updates between two overwrites of the weights, or None.
        gradient_accumulation_steps: Micro-steps per update, or None for one.
        loss_scale: None, a fixed factor, or a dynamic policy. Gradients arrive unscaled, so a
            fixed factor changes nothing and a dynamic one decides which steps are skipped.
        float32_constants: Round the constants that Keras rounds; see `harness.oracles.arrays`.
    """

    kind: Kind
    hyperparameters: Mapping[str, Constant]
    clipvalue: float | None = None
    clipnorm: float | None = None
    global_clipnorm: float | None = None
    weight_decay: float | None = None
    decay_mask: tuple[bool, ...] | None = None
    adam_mask: tuple[bool, ...] | None = None
    projections: tuple[Projection | None, ...] | None = None
    use_ema: bool = False
    ema_momentum: float = 0.99
    ema_overwrite_frequency: int | None = None
    gradient_accumulation_steps: int | None = None
    loss_scale: float | DynamicLossScale | None = None
    float32_constants: bool = True

    def __post_init__(self) -> None:
        """Check what no single oracle can check alone."""
        require_known("kind", self.kind, KINDS)
        require_fraction(ema_momentum=self.ema_momentum)
        positive = {
            "clipvalue": self.clipvalue,
            "clipnorm": self.clipnorm,
            "global_clipnorm": self.global_clipnorm,
            "ema_overwrite_frequency": self.ema_overwrite_frequency,
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
        }
        if not isinstance(self.loss_scale, DynamicLossScale):
            positive["loss_scale"] = self.loss_scale
        require_positive(**{name: n for name, n in positive.items() if n is not None})

    def number(self, name: str) -> float:
        """Return the hyperparameter `name` of the algorithm as a number."""
        value = self.optional(name)
        if value is None:
            msg = f"{name} must be a number for {self.kind}, got None."
            raise ArgumentError(msg)
        return value

    def optional(self, name: str) -> float | None:
        """Return the hyperparameter `name` of the algorithm as a number, or None."""
        value = self.hyperparameters[name]
        return None if value is None else float(value)

    def flag(self, name: str) -> bool:
        """Return the hyperparameter `name` of the algorithm as a truth value."""
        return bool(self.hyperparameters[name])


def make_rule(
    kind: Kind,
    *,
    clipvalue: float | None = None,
    clipnorm: float | None = None,
    global_clipnorm: float | None = None,
    weight_decay: float | None = None,
    decay_mask: tuple[bool, ...] | None = None,
    adam_mask: tuple[bool, ...] | None = None,
    projections: tuple[Projection | None, ...] | None = None,
    use_ema: bool = False,
    ema_momentum: float = 0.99,
    ema_overwrite_frequency: int | None = None,
    gradient_accumulation_steps: int | None = None,
    loss_scale: float | DynamicLossScale | None = None,
    float32_constants: bool = True,
    **hyperparameters: Constant,
) -> UpdateRule:
    """Return the rule of a Keras optimizer, its defaults filled in.

    Args:
        kind: Algorithm, such as "sgd"; see `DEFAULTS`.
        clipvalue: Largest absolute value of an element.
        clipnorm: Largest norm of each variable.
        global_clipnorm: Largest norm over all variables.
        weight_decay: Decoupled decay; None means 0.004 for AdamW and none for all others.
        decay_mask: Per variable, whether it decays; None means all do.
        adam_mask: Per variable, whether Muon leaves it to Adam; None means all but matrices.
        projections: Per variable its constraint, or None; None means that none has one.
        use_ema: Whether a moving average of the weights is kept.
        ema_momentum: Share of the average kept per update.
        ema_overwrite_frequency: Updates between two overwrites of the weights.
        gradient_accumulation_steps: Micro-steps per update.
        loss_scale: A fixed factor (Keras' `loss_scale_factor`) or a dynamic policy.
        float32_constants: Round the constants that Keras rounds.
        **hyperparameters: Constants of the algorithm under Keras' names, such as `beta_1`. The
            learning rate is none of them: it is given with every update.

    Raises:
        ArgumentError: A name is unknown to the algorithm, or a value is out of range.
    """
    require_known("kind", kind, KINDS)
    defaults = DEFAULTS[kind]
    for name, value in hyperparameters.items():
        if name not in defaults:
            msg = (
                f"{kind} must be given only {', '.join(defaults)} and the arguments common to all "
                f"optimizers, got {name}={value!r}."
            )
            raise ArgumentError(msg)
    if kind == "adamw" and weight_decay is None:
        weight_decay = ADAMW_WEIGHT_DECAY
    return UpdateRule(
        kind=kind,
        hyperparameters=MappingProxyType({**defaults, **hyperparameters}),
        clipvalue=clipvalue,
        clipnorm=clipnorm,
        global_clipnorm=global_clipnorm,
        weight_decay=weight_decay,
        decay_mask=decay_mask,
        adam_mask=adam_mask,
        projections=projections,
        use_ema=use_ema,
        ema_momentum=ema_momentum,
        ema_overwrite_frequency=ema_overwrite_frequency,
        gradient_accumulation_steps=gradient_accumulation_steps,
        loss_scale=loss_scale,
        float32_constants=float32_constants,
    )
