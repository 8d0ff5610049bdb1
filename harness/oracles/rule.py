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
from harness.oracles.loss_scaling import DynamicLossScale

Kind = Literal["sgd", "adam", "adamw", "rmsprop", "adagrad"]
KINDS: tuple[str, ...] = get_args(Kind)

_ADAM: Mapping[str, float | bool] = {
    "beta_1": 0.9,
    "beta_2": 0.999,
    "epsilon": 1e-7,
    "amsgrad": False,
}
DEFAULTS: Mapping[str, Mapping[str, float | bool]] = MappingProxyType(
    {
        "sgd": {"momentum": 0.0, "nesterov": False},
        "adam": _ADAM,
        "adamw": _ADAM,
        "rmsprop": {"rho": 0.9, "momentum": 0.0, "epsilon": 1e-7, "centered": False},
        "adagrad": {"initial_accumulator_value": 0.1, "epsilon": 1e-7},
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
        use_ema: Whether a moving average of the weights is kept.
        ema_momentum: Share of the average kept per update.
        ema_overwrite_frequency: Updates between two overwrites of the weights, or None.
        gradient_accumulation_steps: Micro-steps per update, or None for one.
        loss_scale: None, a fixed factor, or a dynamic policy. Gradients arrive unscaled, so a
            fixed factor changes nothing and a dynamic one decides which steps are skipped.
        float32_constants: Round the constants that Keras rounds; see `harness.oracles.arrays`.
    """

    kind: Kind
    hyperparameters: Mapping[str, float | bool]
    clipvalue: float | None = None
    clipnorm: float | None = None
    global_clipnorm: float | None = None
    weight_decay: float | None = None
    decay_mask: tuple[bool, ...] | None = None
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
        return float(self.hyperparameters[name])

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
    use_ema: bool = False,
    ema_momentum: float = 0.99,
    ema_overwrite_frequency: int | None = None,
    gradient_accumulation_steps: int | None = None,
    loss_scale: float | DynamicLossScale | None = None,
    float32_constants: bool = True,
    **hyperparameters: float | bool,
) -> UpdateRule:
    """Return the rule of a Keras optimizer, its defaults filled in.

    Args:
        kind: Algorithm: "sgd", "adam", "adamw", "rmsprop" or "adagrad".
        clipvalue: Largest absolute value of an element.
        clipnorm: Largest norm of each variable.
        global_clipnorm: Largest norm over all variables.
        weight_decay: Decoupled decay; None means 0.004 for AdamW and none for all others.
        decay_mask: Per variable, whether it decays; None means all do.
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
        use_ema=use_ema,
        ema_momentum=ema_momentum,
        ema_overwrite_frequency=ema_overwrite_frequency,
        gradient_accumulation_steps=gradient_accumulation_steps,
        loss_scale=loss_scale,
        float32_constants=float32_constants,
    )
