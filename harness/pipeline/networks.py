"""Models whose layers are more than a stack of matrices: convolutions and attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.pipeline.backend import import_keras
from harness.spec.model import ConvolutionSpec

if TYPE_CHECKING:
    from harness.spec.model import AttentionSpec

__all__ = ["build_network"]


def build_network(
    spec: ConvolutionSpec | AttentionSpec, input_shape: tuple[int, ...], output_dtype: str | None
) -> Any:
    """An uncompiled, built Keras model.

    Args:
        spec: The model.
        input_shape: Shape of one vector, or steps and features of one sequence.
        output_dtype: Of the output layer.
    """
    if isinstance(spec, ConvolutionSpec):
        return _convolution(spec, input_shape, output_dtype)
    return _attention(spec, input_shape, output_dtype)


def _convolution(
    spec: ConvolutionSpec, input_shape: tuple[int, ...], output_dtype: str | None
) -> Any:
    keras = import_keras()
    layers = keras.layers
    stack: list[Any] = [
        keras.Input(input_shape),
        layers.Reshape(spec.image, dtype=spec.dtype, name="image"),
    ]
    for index, filters in enumerate(spec.filters):
        stack.append(
            layers.Conv2D(
                filters,
                spec.kernel_size,
                strides=spec.strides,
                padding="same",
                activation=spec.activation,
                dtype=spec.dtype,
                name=f"convolution_{index}",
            )
        )
        if spec.batch_norm:
            stack.append(layers.BatchNormalization(dtype=spec.dtype, name=f"batch_norm_{index}"))
    stack.append(layers.GlobalAveragePooling2D(dtype=spec.dtype, name="mean"))
    stack.append(_output(spec, output_dtype))
    return keras.Sequential(stack, name="convolution")


def _attention(spec: AttentionSpec, input_shape: tuple[int, ...], output_dtype: str | None) -> Any:
    keras = import_keras()
    layers = keras.layers
    width = spec.num_heads * spec.key_dim
    inputs = keras.Input(input_shape)
    tensor = layers.Dense(width, dtype=spec.dtype, name="input")(inputs)
    for index in range(spec.blocks):
        attended = layers.MultiHeadAttention(
            spec.num_heads, spec.key_dim, dtype=spec.dtype, name=f"attention_{index}"
        )(tensor, tensor)
        tensor = _add_and_normalise(spec, tensor, attended, f"attention_norm_{index}")
        hidden = layers.Dense(
            spec.feed_forward, activation=spec.activation, dtype=spec.dtype, name=f"wide_{index}"
        )(tensor)
        narrow = layers.Dense(width, dtype=spec.dtype, name=f"narrow_{index}")(hidden)
        tensor = _add_and_normalise(spec, tensor, narrow, f"dense_norm_{index}")
    mean = layers.GlobalAveragePooling1D(dtype=spec.dtype, name="mean")(tensor)
    return keras.Model(inputs, _output(spec, output_dtype)(mean), name="attention")


def _add_and_normalise(spec: AttentionSpec, tensor: Any, update: Any, name: str) -> Any:
    layers = import_keras().layers
    total = layers.Add(dtype=spec.dtype, name=f"{name}_sum")([tensor, update])
    return layers.LayerNormalization(dtype=spec.dtype, name=name)(total)


def _output(spec: ConvolutionSpec | AttentionSpec, dtype: str | None) -> Any:
    return import_keras().layers.Dense(
        spec.outputs, activation=spec.output_activation, dtype=dtype, name="output"
    )
