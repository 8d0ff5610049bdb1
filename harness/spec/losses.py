"""Losses by Keras' names and arguments, and the two own ones of text 004."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict

from harness.spec.base import (
    Flag,
    Fraction,
    ImportSpec,
    Integer,
    Named,
    NonNegative,
    Positive,
    Spec,
    UnitInterval,
)

Reduction = Literal["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none"]
BuiltBy = Literal["class", "config", "serialized", "name"]
ComputeDtype = Literal["float64", "float32", "float16", "bfloat16"]


class LossSpec(Spec):
    """What every loss takes.

    Attributes:
        reduction: How the losses of the examples become one number; ``none`` leaves them apart.
        dtype: What the loss computes in; None is the default float.
        built_by: The way the object is made, which must not matter: its class, ``from_config`` of
            its own config, ``deserialize`` of what ``serialize`` gave, or its bare name, which has
            no arguments.
    """

    reduction: Reduction = "sum_over_batch_size"
    dtype: ComputeDtype | None = None
    built_by: BuiltBy = "class"


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
        "categorical_hinge",
    ]


class HuberSpec(LossSpec):
    """Quadratic below `delta`, linear above.

    Attributes:
        delta: Where the two meet, in units of the target.
    """

    kind: Literal["huber"] = "huber"
    delta: Positive = 1.0


class LabelLossSpec(LossSpec):
    """What losses on labels between 0 and 1 take.

    Attributes:
        from_logits: Predictions are scores, not probabilities.
        label_smoothing: Labels are moved by this share towards the even distribution.
        axis: Axis of the mean, or of the classes.
    """

    from_logits: Flag = False
    label_smoothing: Fraction = 0.0
    axis: Integer = -1


class BinaryCrossentropySpec(LabelLossSpec):
    """Cross-entropy of independent binary labels."""

    kind: Literal["binary_crossentropy"] = "binary_crossentropy"


class CategoricalCrossentropySpec(LabelLossSpec):
    """Cross-entropy of one-hot labels."""

    kind: Literal["categorical_crossentropy"] = "categorical_crossentropy"


class SparseCategoricalCrossentropySpec(LossSpec):
    """Cross-entropy of integer labels.

    Attributes:
        from_logits: Predictions are scores, not probabilities.
        ignore_class: A label that does not count.
        axis: Axis of the classes; None is the last.
    """

    kind: Literal["sparse_categorical_crossentropy"] = "sparse_categorical_crossentropy"
    from_logits: Flag = False
    ignore_class: Integer | None = None
    axis: Integer | None = None


class CosineSimilaritySpec(LossSpec):
    """Minus the cosine of the angle between target and prediction.

    Attributes:
        axis: Axis along which the two are vectors.
    """

    kind: Literal["cosine_similarity"] = "cosine_similarity"
    axis: Integer = -1


class BinaryFocalCrossentropySpec(LabelLossSpec):
    """Binary cross-entropy, damped where the prediction is already sure.

    Attributes:
        apply_class_balancing: Weigh the classes by `alpha` and ``1 - alpha``.
        alpha: Weight of the positive class.
        gamma: Exponent of the damping.
    """

    kind: Literal["binary_focal_crossentropy"] = "binary_focal_crossentropy"
    apply_class_balancing: Flag = False
    alpha: UnitInterval = 0.25
    gamma: NonNegative = 2.0


class CategoricalFocalCrossentropySpec(LabelLossSpec):
    """Categorical cross-entropy, damped where the prediction is already sure.

    Attributes:
        alpha: Factor on every class.
        gamma: Exponent of the damping.
    """

    kind: Literal["categorical_focal_crossentropy"] = "categorical_focal_crossentropy"
    alpha: Positive = 0.25
    gamma: NonNegative = 2.0


class GeneralizedCrossentropySpec(LossSpec):
    """Between cross-entropy and absolute error, for labels that may be wrong.

    Attributes:
        q: 1 is half the absolute error of the probabilities; towards 0 it is the cross-entropy.
    """

    kind: Literal["categorical_generalized_cross_entropy"] = "categorical_generalized_cross_entropy"
    q: Annotated[float, Strict(), Field(gt=0, lt=1, allow_inf_nan=False)] = 0.5


class DiceSpec(LossSpec):
    """One minus twice the overlap of two sets over the sum of their sizes.

    Attributes:
        axis: Axes over which sets are summed; None is everything in the batch at once.
    """

    kind: Literal["dice"] = "dice"
    axis: tuple[Integer, ...] | None = None


class TverskySpec(LossSpec):
    """The overlap with a price of its own for each kind of error.

    Attributes:
        alpha: Price of a false positive.
        beta: Price of a false negative.
        axis: Axes over which sets are summed; None is everything in the batch at once.
    """

    kind: Literal["tversky"] = "tversky"
    axis: tuple[Integer, ...] | None = None
    alpha: NonNegative = 0.5
    beta: NonNegative = 0.5


class CircleSpec(LossSpec):
    """Pulls embeddings of one class together and pushes those of different classes apart.

    Attributes:
        gamma: Scale of the similarities.
        margin: Relaxation of the decision boundary.
        remove_diagonal: Leave out the similarity of each example to itself.
    """

    kind: Literal["circle"] = "circle"
    gamma: Positive = 80.0
    margin: NonNegative = 0.4
    remove_diagonal: Flag = True


class CTCSpec(LossSpec):
    """Scores of steps against a transcript that is shorter: all alignments of it are summed up."""

    kind: Literal["ctc"] = "ctc"


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


KerasLoss = (
    PlainLossSpec
    | HuberSpec
    | BinaryCrossentropySpec
    | CategoricalCrossentropySpec
    | SparseCategoricalCrossentropySpec
    | CosineSimilaritySpec
    | BinaryFocalCrossentropySpec
    | CategoricalFocalCrossentropySpec
    | GeneralizedCrossentropySpec
    | DiceSpec
    | TverskySpec
    | CircleSpec
    | CTCSpec
)
"""The losses that Keras itself ships."""

AnyLoss = Annotated[
    Annotated[
        KerasLoss | WeightedMSESpec | FocalLossSpec | ImportedLossSpec,
        Field(discriminator="kind"),
    ],
    Named,
]
