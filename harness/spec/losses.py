"""Losses by Keras' names and arguments, and the two own ones of text 004."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.spec.base import (
    Flag,
    Fraction,
    ImportSpec,
    Integer,
    Named,
    NonNegative,
    Positive,
    Spec,
)

Reduction = Literal["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight"]


class LossSpec(Spec):
    """What every loss takes.

    Attributes:
        reduction: How the losses of the examples become one number.
    """

    reduction: Reduction = "sum_over_batch_size"


class PlainLossSpec(LossSpec):
    """A Keras loss without arguments of its own."""

    kind: Literal[
        "mean_squared_error",
        "mean_absolute_error",
        "mean_absolute_percentage_error",
        "mean_squared_logarithmic_error",
        "log_cosh",
        "poisson",
        "kl_divergence",
        "hinge",
        "squared_hinge",
    ]


class HuberSpec(LossSpec):
    """Quadratic below `delta`, linear above.

    Attributes:
        delta: Where the two meet, in units of the target.
    """

    kind: Literal["huber"] = "huber"
    delta: Positive = 1.0


class BinaryCrossentropySpec(LossSpec):
    """Cross-entropy of independent binary labels.

    Attributes:
        from_logits: Predictions are scores, not probabilities.
        label_smoothing: Labels are moved by half of it towards 0.5.
        axis: Axis of the mean.
    """

    kind: Literal["binary_crossentropy"] = "binary_crossentropy"
    from_logits: Flag = False
    label_smoothing: Fraction = 0.0
    axis: Integer = -1


class CategoricalCrossentropySpec(LossSpec):
    """Cross-entropy of one-hot labels.

    Attributes:
        from_logits: Predictions are scores, not probabilities.
        label_smoothing: Labels are mixed with the uniform distribution.
        axis: Axis of the classes.
    """

    kind: Literal["categorical_crossentropy"] = "categorical_crossentropy"
    from_logits: Flag = False
    label_smoothing: Fraction = 0.0
    axis: Integer = -1


class SparseCategoricalCrossentropySpec(LossSpec):
    """Cross-entropy of integer labels.

    Attributes:
        from_logits: Predictions are scores, not probabilities.
        ignore_class: A label that does not count.
    """

    kind: Literal["sparse_categorical_crossentropy"] = "sparse_categorical_crossentropy"
    from_logits: Flag = False
    ignore_class: Integer | None = None


class WeightedMSESpec(LossSpec):
    """Squared error in which predictions that are too low count more.

    Attributes:
        under_weight: Factor on the squared error where the prediction is below the target.
    """

    kind: Literal["weighted_mse"] = "weighted_mse"
    under_weight: Positive = 2.0


class FocalLossSpec(LossSpec):
    """Cross-entropy of one-hot labels, damped where the prediction is already sure.

    Attributes:
        gamma: Exponent of the damping.
        alpha: Factor on the true class.
    """

    kind: Literal["focal_loss"] = "focal_loss"
    gamma: NonNegative = 2.0
    alpha: Positive = 0.25


class ImportedLossSpec(ImportSpec):
    """The user's own: a function of (y_true, y_pred), or one that returns a ``keras.Loss``.

    Attributes:
        call: True calls the function with `arguments` and uses what it returns as the loss.
    """

    kind: Literal["import"] = "import"
    call: Flag = False


AnyLoss = Annotated[
    Annotated[
        PlainLossSpec
        | HuberSpec
        | BinaryCrossentropySpec
        | CategoricalCrossentropySpec
        | SparseCategoricalCrossentropySpec
        | WeightedMSESpec
        | FocalLossSpec
        | ImportedLossSpec,
        Field(discriminator="kind"),
    ],
    Named,
]
