"""Layers that a built-in model may have behind its own: normalisations, and noise of training."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.spec.base import (
    Count,
    Flag,
    Fraction,
    Named,
    NonNegative,
    Positive,
    PositiveCount,
    Spec,
    UnitInterval,
)

__all__ = [
    "AnyLayer",
    "BatchNormalizationSpec",
    "NoiseSpec",
    "ScaledSpec",
    "ShapedNoiseSpec",
    "adds_noise",
    "drops_all",
]


class ScaledSpec(Spec):
    """What normalisations have in common that learn a factor and an offset.

    Attributes:
        epsilon: What is added to a variance.
        center: Learns an offset, beta.
        scale: Learns a factor, gamma.
    """

    epsilon: Positive = 1e-3
    center: Flag = True
    scale: Flag = True


class BatchNormalizationSpec(ScaledSpec):
    """``keras.layers.BatchNormalization`` over all axes but the last.

    Attributes:
        momentum: Share of the moving statistics that a batch leaves.
        trainable: False predicts in training too, and remembers nothing.
    """

    kind: Literal["batch_normalization"] = "batch_normalization"
    momentum: UnitInterval = 0.99
    trainable: Flag = True


class LayerNormalizationSpec(ScaledSpec):
    """``keras.layers.LayerNormalization`` over the last axis."""

    kind: Literal["layer_normalization"] = "layer_normalization"


class GroupNormalizationSpec(ScaledSpec):
    """``keras.layers.GroupNormalization`` of neighbours in the last axis.

    Attributes:
        groups: How many groups; it divides the last axis.
    """

    kind: Literal["group_normalization"] = "group_normalization"
    groups: PositiveCount = 1


class UnitNormalizationSpec(Spec):
    """``keras.layers.UnitNormalization``: vectors of length 1."""

    kind: Literal["unit_normalization"] = "unit_normalization"


class NoiseSpec(Spec):
    """What layers have in common that change their input in training only, by chance.

    Attributes:
        seed: Of the layer's own generator; None leaves it to the global seed.
    """

    seed: Count | None = None


class ShapedNoiseSpec(NoiseSpec):
    """Noise that may be the same along some axes.

    Attributes:
        noise_shape: Extent of the noise along each axis, the batch first: 1 where all share it,
            0 where it is that of the input, for which Keras takes None and TOML has no word.
    """

    noise_shape: tuple[Count, ...] | None = None


class DropoutSpec(ShapedNoiseSpec):
    """``keras.layers.Dropout``.

    Attributes:
        rate: Share of the input that becomes 0; 1 drops everything.
    """

    kind: Literal["dropout"] = "dropout"
    rate: UnitInterval = 0.5


class SpatialDropoutSpec(NoiseSpec):
    """``keras.layers.SpatialDropout1D``: a feature is dropped at every step or at none.

    Attributes:
        rate: Share of the features that become 0.
    """

    kind: Literal["spatial_dropout_1d"] = "spatial_dropout_1d"
    rate: UnitInterval = 0.5


class GaussianDropoutSpec(NoiseSpec):
    """``keras.layers.GaussianDropout``: a factor of mean 1 and variance rate / (1 - rate).

    Attributes:
        rate: The rate of the dropout that has the same variance.
    """

    kind: Literal["gaussian_dropout"] = "gaussian_dropout"
    rate: Fraction = 0.5


class AlphaDropoutSpec(ShapedNoiseSpec):
    """``keras.layers.AlphaDropout``.

    Attributes:
        rate: Share of the input that is replaced.
    """

    kind: Literal["alpha_dropout"] = "alpha_dropout"
    rate: Fraction = 0.5


class GaussianNoiseSpec(NoiseSpec):
    """``keras.layers.GaussianNoise``.

    Attributes:
        stddev: Standard deviation of what is added.
    """

    kind: Literal["gaussian_noise"] = "gaussian_noise"
    stddev: NonNegative = 1.0


AnyLayer = Annotated[
    Annotated[
        BatchNormalizationSpec
        | LayerNormalizationSpec
        | GroupNormalizationSpec
        | UnitNormalizationSpec
        | DropoutSpec
        | SpatialDropoutSpec
        | GaussianDropoutSpec
        | AlphaDropoutSpec
        | GaussianNoiseSpec,
        Field(discriminator="kind"),
    ],
    Named,
]


def adds_noise(layer: AnyLayer) -> bool:
    """Say whether a layer draws random numbers in training; at rate 0 and 1 it needs none."""
    arguments = layer.model_dump(exclude={"kind", "seed", "noise_shape"}).values()
    return isinstance(layer, NoiseSpec) and any(arguments) and not drops_all(layer)


def drops_all(layer: AnyLayer) -> bool:
    """Say whether a layer leaves nothing but zeros in training, which is no matter of chance."""
    return isinstance(layer, DropoutSpec | SpatialDropoutSpec) and layer.rate == 1.0
