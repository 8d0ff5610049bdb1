"""Specs of layers to Keras layers."""

from __future__ import annotations

from pydantic import TypeAdapter

from harness.pipeline.layers import build_layer
from harness.spec.layers import AnyLayer

ADAPTER: TypeAdapter[AnyLayer] = TypeAdapter(AnyLayer)


def test_an_extent_of_zero_is_that_of_the_input() -> None:
    """Keras takes None for it."""
    spec = ADAPTER.validate_python({"kind": "dropout", "seed": 3, "noise_shape": [0, 1, 0]})
    layer = build_layer(spec, None, "0_1")
    assert layer.noise_shape == (None, 1, None)
    assert (layer.seed, layer.name) == (3, "dropout_0_1")


def test_without_a_shape_all_is_drawn() -> None:
    """None stays None."""
    assert build_layer(ADAPTER.validate_python("alpha_dropout"), None, "0").noise_shape is None
