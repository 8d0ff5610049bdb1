"""Specs of layers that stand behind a model's own to Keras layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.pipeline.backend import import_keras
from harness.spec.layers import ShapedNoiseSpec

if TYPE_CHECKING:
    from harness.spec.layers import AnyLayer

__all__ = ["build_layer"]

_KERAS_CLASSES = {
    "batch_normalization": "BatchNormalization",
    "layer_normalization": "LayerNormalization",
    "group_normalization": "GroupNormalization",
    "unit_normalization": "UnitNormalization",
    "dropout": "Dropout",
    "spatial_dropout_1d": "SpatialDropout1D",
    "gaussian_dropout": "GaussianDropout",
    "alpha_dropout": "AlphaDropout",
    "gaussian_noise": "GaussianNoise",
}


def build_layer(spec: AnyLayer, dtype: str | None, position: str) -> Any:
    """An unbuilt Keras layer, named after its kind and `position`."""
    keras_class = getattr(import_keras().layers, _KERAS_CLASSES[spec.kind])
    arguments = spec.model_dump(exclude={"kind"})
    if isinstance(spec, ShapedNoiseSpec) and spec.noise_shape is not None:
        arguments["noise_shape"] = tuple(extent or None for extent in spec.noise_shape)
    return keras_class(**arguments, dtype=dtype, name=f"{spec.kind}_{position}")
