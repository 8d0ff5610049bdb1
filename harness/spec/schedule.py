"""Learning-rate schedules: functions of the update count, by Keras' names and arguments."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from harness.spec.base import (
    Count,
    Finite,
    Flag,
    ImportSpec,
    NonNegative,
    Positive,
    PositiveCount,
    Rule,
    Spec,
)


class ExponentialDecaySpec(Spec):
    """``initial * decay_rate ** (step / decay_steps)``, the exponent floored by `staircase`."""

    kind: Literal["exponential_decay"] = "exponential_decay"
    initial_learning_rate: NonNegative
    decay_steps: PositiveCount
    decay_rate: Positive
    staircase: Flag = False


class InverseTimeDecaySpec(Spec):
    """``initial / (1 + decay_rate * step / decay_steps)``, the ratio floored by `staircase`."""

    kind: Literal["inverse_time_decay"] = "inverse_time_decay"
    initial_learning_rate: NonNegative
    decay_steps: PositiveCount
    decay_rate: NonNegative
    staircase: Flag = False


class PolynomialDecaySpec(Spec):
    """From initial to end in `decay_steps`, along a power; `cycle` starts again, longer."""

    kind: Literal["polynomial_decay"] = "polynomial_decay"
    initial_learning_rate: NonNegative
    decay_steps: PositiveCount
    end_learning_rate: NonNegative = 0.0001
    power: Positive = 1.0
    cycle: Flag = False


class PiecewiseConstantDecaySpec(Spec):
    """``values[i]`` up to and including ``boundaries[i]``."""

    kind: Literal["piecewise_constant_decay"] = "piecewise_constant_decay"
    boundaries: Annotated[tuple[Count, ...], Field(min_length=1)]
    values: Annotated[tuple[NonNegative, ...], Field(min_length=2)]


class CosineDecaySpec(Spec):
    """Half a cosine down to `alpha` times the initial rate, after an optional linear warm-up."""

    kind: Literal["cosine_decay"] = "cosine_decay"
    initial_learning_rate: NonNegative
    decay_steps: PositiveCount
    alpha: NonNegative = 0.0
    warmup_target: NonNegative | None = None
    warmup_steps: Count = 0


class CosineDecayRestartsSpec(Spec):
    """Half cosines, each `t_mul` times longer and starting `m_mul` times lower."""

    kind: Literal["cosine_decay_restarts"] = "cosine_decay_restarts"
    initial_learning_rate: NonNegative
    first_decay_steps: PositiveCount
    t_mul: Positive = 2.0
    m_mul: Positive = 1.0
    alpha: NonNegative = 0.0


class WarmupCosineSpec(Spec):
    """Linear from 0 to `peak`, then half a cosine to 0 at `total_steps`, then 0."""

    kind: Literal["warmup_cosine"] = "warmup_cosine"
    peak: NonNegative
    warmup_steps: Count
    total_steps: PositiveCount


class ConstantCallableSpec(Spec):
    """A Python callable without arguments that returns `value`: Keras accepts those too."""

    kind: Literal["callable"] = "callable"
    value: Finite


class ImportedScheduleSpec(ImportSpec):
    """The user's own: a function that returns a ``LearningRateSchedule``."""

    kind: Literal["import"] = "import"


AnySchedule = Annotated[
    ExponentialDecaySpec
    | InverseTimeDecaySpec
    | PolynomialDecaySpec
    | PiecewiseConstantDecaySpec
    | CosineDecaySpec
    | CosineDecayRestartsSpec
    | WarmupCosineSpec
    | ConstantCallableSpec
    | ImportedScheduleSpec,
    Field(discriminator="kind"),
]


def _rate_tag(value: Any) -> str:
    return "schedule" if isinstance(value, dict | Spec) else "rate"


LearningRate = Annotated[
    Annotated[NonNegative, Rule("be a number >= 0 or the table of a schedule"), Tag("rate")]
    | Annotated[AnySchedule, Tag("schedule")],
    Discriminator(_rate_tag),
]
