"""Optimizers with all their Keras arguments and defaults."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.spec.base import (
    AtLeastTwo,
    Flag,
    Fraction,
    ImportSpec,
    Named,
    NonNegative,
    Positive,
    PositiveCount,
    Spec,
    Text,
    UnitInterval,
)
from harness.spec.schedule import LearningRate


class OptimizerSpec(Spec):
    """What every Keras optimizer takes.

    Attributes:
        learning_rate: A number, or a schedule over the update count.
        weight_decay: Decoupled: ``w -= learning_rate * weight_decay * w`` before the update.
        clipnorm: Largest L2 norm of the gradient of one variable.
        clipvalue: Largest absolute value of an element of a gradient.
        global_clipnorm: Largest L2 norm of all gradients together.
        use_ema: Keep a moving average of the weights.
        ema_momentum: Share of the old average that is kept.
        ema_overwrite_frequency: Write the average into the weights every so many updates.
        loss_scale_factor: A fixed factor on the loss, taken out of the gradients again.
        gradient_accumulation_steps: Micro-batches per update.
        exclude_from_weight_decay: Parts of variable names that are not decayed.
    """

    learning_rate: LearningRate = 0.001
    weight_decay: NonNegative | None = None
    clipnorm: Positive | None = None
    clipvalue: Positive | None = None
    global_clipnorm: Positive | None = None
    use_ema: Flag = False
    ema_momentum: Fraction = 0.99
    ema_overwrite_frequency: PositiveCount | None = None
    loss_scale_factor: Positive | None = None
    gradient_accumulation_steps: AtLeastTwo | None = None
    exclude_from_weight_decay: tuple[Text, ...] = ()


class SGDSpec(OptimizerSpec):
    """Gradient descent, optionally with (Nesterov) momentum."""

    kind: Literal["sgd"] = "sgd"
    learning_rate: LearningRate = 0.01
    momentum: UnitInterval = 0.0
    nesterov: Flag = False


class AdamSpec(OptimizerSpec):
    """Adam, with Keras' reading of epsilon: added to sqrt(v) before v is corrected."""

    kind: Literal["adam"] = "adam"
    beta_1: Fraction = 0.9
    beta_2: Fraction = 0.999
    epsilon: Positive = 1e-7
    amsgrad: Flag = False


class AdamWSpec(OptimizerSpec):
    """Adam with decoupled weight decay."""

    kind: Literal["adamw"] = "adamw"
    weight_decay: NonNegative = 0.004
    beta_1: Fraction = 0.9
    beta_2: Fraction = 0.999
    epsilon: Positive = 1e-7
    amsgrad: Flag = False


class RMSpropSpec(OptimizerSpec):
    """Gradients divided by a moving root mean square, optionally centred and with momentum."""

    kind: Literal["rmsprop"] = "rmsprop"
    rho: Fraction = 0.9
    momentum: Fraction = 0.0
    epsilon: Positive = 1e-7
    centered: Flag = False


class AdagradSpec(OptimizerSpec):
    """Gradients divided by the root of the sum of their squares so far."""

    kind: Literal["adagrad"] = "adagrad"
    initial_accumulator_value: NonNegative = 0.1
    epsilon: Positive = 1e-7


class ImportedOptimizerSpec(ImportSpec):
    """The user's own: a function that returns a ``keras.optimizers.Optimizer``."""

    kind: Literal["import"] = "import"


BuiltinOptimizer = SGDSpec | AdamSpec | AdamWSpec | RMSpropSpec | AdagradSpec

AnyOptimizer = Annotated[
    Annotated[BuiltinOptimizer | ImportedOptimizerSpec, Field(discriminator="kind")],
    Named,
]
