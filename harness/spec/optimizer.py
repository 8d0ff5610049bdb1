"""Optimizers with all their Keras arguments and defaults."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict

from harness.spec.base import (
    AtLeastTwo,
    Count,
    Finite,
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
        built_by: How the object comes about: by its class, from its own configuration, through
            `keras.optimizers.serialize` and `deserialize`, by name through `keras.optimizers.get`,
            by its class with the learning rate assigned afterwards, or by its class without the
            arguments that have their default.
        prebuilt: Whether its variables are made before the training, or by its first step.
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
    built_by: Literal["class", "config", "serialized", "name", "assignment", "defaults"] = "class"
    prebuilt: Flag = True


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


class AdadeltaSpec(OptimizerSpec):
    """Steps in the units of the weights, from moving averages of squares."""

    kind: Literal["adadelta"] = "adadelta"
    rho: Fraction = 0.95
    epsilon: Positive = 1e-7


class AdamaxSpec(OptimizerSpec):
    """Adam with the infinity norm."""

    kind: Literal["adamax"] = "adamax"
    beta_1: Fraction = 0.9
    beta_2: Fraction = 0.999
    epsilon: Positive = 1e-7


class NadamSpec(OptimizerSpec):
    """Adam with Nesterov momentum."""

    kind: Literal["nadam"] = "nadam"
    beta_1: Fraction = 0.9
    beta_2: Fraction = 0.999
    epsilon: Positive = 1e-7


class LionSpec(OptimizerSpec):
    """The sign of an interpolated momentum."""

    kind: Literal["lion"] = "lion"
    beta_1: Annotated[float, Strict(), Field(gt=0, le=1, allow_inf_nan=False)] = 0.9
    beta_2: Fraction = 0.99


class FtrlSpec(OptimizerSpec):
    """Follow the regularized leader.

    Attributes:
        learning_rate_power: How steps shrink with the accumulator; 0 keeps them.
        initial_accumulator_value: Where every accumulator starts.
        l1_regularization_strength: Weights whose linear term is no larger are zero.
        l2_regularization_strength: Penalty on the weights that are solved for.
        l2_shrinkage_regularization_strength: Penalty on the weights before the step.
        beta: Added to the root of the accumulator.
    """

    kind: Literal["ftrl"] = "ftrl"
    learning_rate_power: Annotated[float, Strict(), Field(le=0, allow_inf_nan=False)] = -0.5
    initial_accumulator_value: NonNegative = 0.1
    l1_regularization_strength: NonNegative = 0.0
    l2_regularization_strength: NonNegative = 0.0
    l2_shrinkage_regularization_strength: NonNegative = 0.0
    beta: NonNegative = 0.0


class LambSpec(OptimizerSpec):
    """Adam's direction, scaled to the norm of each variable."""

    kind: Literal["lamb"] = "lamb"
    beta_1: Fraction = 0.9
    beta_2: Fraction = 0.999
    epsilon: Positive = 1e-7


class AdafactorSpec(OptimizerSpec):
    """A second moment kept as row and column means.

    Attributes:
        beta_2_decay: Exponent of the decay of the second moment.
        epsilon_1: Added to squared gradients.
        epsilon_2: Least root mean square of the weights that a step is relative to.
        clip_threshold: Largest root mean square of the direction.
        relative_step: A constant learning rate is capped by one over the root of the step.
    """

    kind: Literal["adafactor"] = "adafactor"
    beta_2_decay: Annotated[float, Strict(), Field(le=0, allow_inf_nan=False)] = -0.8
    epsilon_1: Positive = 1e-30
    epsilon_2: Positive = 1e-3
    clip_threshold: Positive = 1.0
    relative_step: Flag = True


class ScheduleFreeAdamWSpec(OptimizerSpec):
    """AdamW that averages its weights instead of lowering its learning rate.

    Attributes:
        beta_1: Share of the average in the weights that are trained.
        warmup_steps: Updates over which the rate grows to the learning rate.
    """

    kind: Literal["schedule_free_adamw"] = "schedule_free_adamw"
    learning_rate: LearningRate = 0.0025
    beta_1: Annotated[float, Strict(), Field(gt=0, le=1, allow_inf_nan=False)] = 0.9
    beta_2: Fraction = 0.999
    epsilon: Positive = 1e-8
    warmup_steps: Count = 0


class MuonSpec(OptimizerSpec):
    """Orthogonalised momentum for matrices, Adam for the rest.

    Attributes:
        weight_decay: Of the matrices.
        adam_weight_decay: Of the rest.
        exclude_layers: Patterns; matrices whose path holds one are left to Adam.
        exclude_embeddings: Whether embeddings are left to Adam.
        muon_a: First coefficient of the Newton-Schulz iteration.
        muon_b: Its second coefficient.
        muon_c: Its third coefficient.
        adam_lr_ratio: Factor on the learning rate for Adam.
        ns_steps: Newton-Schulz iterations.
        rms_rate: Factor on the matrices' step, with the root of their longer side.
    """

    kind: Literal["muon"] = "muon"
    weight_decay: NonNegative | None = 0.004
    adam_beta_1: Fraction = 0.9
    adam_beta_2: Fraction = 0.999
    adam_weight_decay: NonNegative | None = 0.004
    epsilon: Positive = 1e-7
    exclude_layers: tuple[Text, ...] = ()
    exclude_embeddings: Flag = True
    muon_a: Finite = 3.4445
    muon_b: Finite = -4.775
    muon_c: Finite = 2.0315
    adam_lr_ratio: NonNegative = 1.0
    momentum: UnitInterval = 0.95
    ns_steps: Count = 5
    nesterov: Flag = True
    rms_rate: NonNegative | None = 0.2


class ImportedOptimizerSpec(ImportSpec):
    """The user's own: a function that returns a ``keras.optimizers.Optimizer``."""

    kind: Literal["import"] = "import"


BuiltinOptimizer = (
    SGDSpec
    | AdamSpec
    | AdamWSpec
    | RMSpropSpec
    | AdagradSpec
    | AdadeltaSpec
    | AdamaxSpec
    | NadamSpec
    | LionSpec
    | FtrlSpec
    | LambSpec
    | AdafactorSpec
    | ScheduleFreeAdamWSpec
    | MuonSpec
)

OneOptimizer = Annotated[Annotated[BuiltinOptimizer, Field(discriminator="kind")], Named]


class GroupSpec(Spec):
    """The variables that one optimizer of several updates.

    Attributes:
        match: The path of a variable, or a pattern that the whole path must match.
        optimizer: What updates them.
    """

    match: Text
    optimizer: OneOptimizer


class MultiOptimizerSpec(Spec):
    """``keras.optimizers.MultiOptimizer``: another optimizer for other variables.

    Attributes:
        groups: Variables with an optimizer of their own.
        default: Updates all other variables.
        loss_scale_factor: In place of those of its optimizers.
        built_by: How the object comes about; see `OptimizerSpec`.
        by_function: Whether a function names the optimizer of a variable, instead of a map.
        prebuilt: Whether its variables are made before the training, or by its first step.
    """

    kind: Literal["multi_optimizer"] = "multi_optimizer"
    groups: tuple[GroupSpec, ...] = ()
    default: OneOptimizer = SGDSpec()
    loss_scale_factor: Positive | None = None
    built_by: Literal["class", "config", "serialized", "name"] = "class"
    by_function: Flag = False
    prebuilt: Flag = True


AnyOptimizer = Annotated[
    Annotated[
        BuiltinOptimizer | MultiOptimizerSpec | ImportedOptimizerSpec, Field(discriminator="kind")
    ],
    Named,
]
