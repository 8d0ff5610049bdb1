"""Specs of models to Keras models with stable variable names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

import numpy as np

from harness.pipeline.backend import import_keras, import_tensorflow
from harness.pipeline.constraints import build_constraint, build_regularizer
from harness.pipeline.imports import call_import
from harness.pipeline.layers import build_layer
from harness.pipeline.networks import build_network
from harness.spec.model import (
    AttentionSpec,
    ConvolutionSpec,
    EmbeddingSpec,
    ImportedModelSpec,
    LSTMSpec,
    MLPSpec,
    MultiOutputSpec,
    VariablesSpec,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.spec.model import AnyModel

__all__ = ["build_model", "build_variables"]


def build_model(spec: AnyModel, input_shape: tuple[int, ...]) -> Any:
    """An uncompiled, built Keras model.

    Layers are named by position, not by how many a process has made before, so that two runs of
    one pipeline have the same variable paths.

    Args:
        spec: The model.
        input_shape: Shape of one example.
    """
    keras = import_keras()
    match spec:
        case MLPSpec():
            return _mlp(spec, input_shape)
        case LSTMSpec():
            return _lstm(spec, input_shape)
        case ConvolutionSpec() | AttentionSpec():
            return build_network(spec, input_shape, _output_dtype(spec.dtype))
        case EmbeddingSpec():
            return _embedding(spec, input_shape)
        case MultiOutputSpec():
            return _multi_output(spec, input_shape)
        case ImportedModelSpec():
            model = call_import(spec, keras.Model, "an uncompiled keras Model")
            if not model.built:
                # `build` of a subclassed model would call it built without its layers' variables.
                model(keras.Input(input_shape))
            return model
        case VariablesSpec():
            message = "bare variables are driven with gradients, not built into a model"
            raise TypeError(message)
        case _:
            assert_never(spec)


def build_variables(spec: VariablesSpec, dtype: str) -> list[Any]:
    """Trainable variables of Keras, or of TensorFlow, with the initial values of the spec."""
    keras = import_keras()
    flat = np.ones(sum(spec.sizes)) if spec.initial is None else np.asarray(spec.initial)
    parts = np.split(flat, np.cumsum(spec.sizes)[:-1])
    variables = [
        (import_tensorflow() if index in spec.plain else keras).Variable(
            part.reshape(shape), dtype=dtype, name=f"variable_{index}"
        )
        for index, (part, shape) in enumerate(zip(parts, spec.shapes, strict=True))
    ]
    for variable in variables if spec.constraint else ():
        variable.constraint = build_constraint(spec.constraint)
    for index in spec.overwritten:
        variables[index].overwrite_with_gradient = True
    return variables


def _output_dtype(dtype: str | None) -> str | None:
    """Output layers compute in float32 under mixed precision, as the guide asks for."""
    keras = import_keras()
    policy = keras.mixed_precision.dtype_policy()
    return dtype or (policy.variable_dtype if "mixed" in policy.name else None)


def _mlp(spec: MLPSpec, input_shape: tuple[int, ...]) -> Any:
    keras = import_keras()
    layers = keras.layers
    penalty = build_regularizer(spec.kernel_penalty)
    activity = keras.regularizers.L2(spec.activity_l2) if spec.activity_l2 else None
    stack: list[Any] = [keras.Input(input_shape)]
    last = len(spec.units) - 1
    for index, units in enumerate(spec.units):
        stack.append(
            layers.Dense(
                units,
                activation=spec.output_activation if index == last else spec.activation,
                use_bias=spec.use_bias,
                kernel_initializer=spec.kernel_initializer,
                kernel_regularizer=penalty,
                activity_regularizer=activity,
                kernel_constraint=build_constraint(spec.kernel_constraint),
                trainable=index not in spec.frozen,
                dtype=_output_dtype(spec.dtype) if index == last else spec.dtype,
                name=f"dense_{index}",
            )
        )
        if index == last:
            break
        if spec.batch_norm:
            norm = layers.BatchNormalization(
                synchronized=spec.synchronized, dtype=spec.dtype, name=f"batch_norm_{index}"
            )
            stack.append(norm)
        if spec.dropout:
            stack.append(layers.Dropout(spec.dropout, dtype=spec.dtype, name=f"dropout_{index}"))
        stack += _between(spec, f"{index}_")
    return _put_together(spec.style, stack)


def _between(spec: MLPSpec | EmbeddingSpec, prefix: str) -> list[Any]:
    return [
        build_layer(layer, spec.dtype, f"{prefix}{position}")
        for position, layer in enumerate(spec.between)
    ]


def _put_together(style: str, stack: list[Any]) -> Any:
    """The same layers as each of the models that Keras has, under the same name."""
    keras = import_keras()
    match style:
        case "functional":
            tensor = stack[0]
            for layer in stack[1:]:
                tensor = layer(tensor)
            return keras.Model(stack[0], tensor, name="mlp")
        case "subclassed":
            model = _subclassed(stack[1:])
            model(stack[0])
            return model
        case "copied":
            original = keras.Sequential(stack, name="mlp")
            copy = keras.Sequential.from_config(original.get_config())
            copy.set_weights(original.get_weights())
            return copy
        case _:
            return keras.Sequential(stack, name="mlp")


def _subclassed(layers: list[Any]) -> Any:
    keras = import_keras()

    class MLP(keras.Model):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__(name="mlp")
            self.stack = layers

        def call(self, inputs: Any, training: Any = None) -> Any:
            # Having the flag is enough: Keras hands it on to the layers that take one.
            del training
            for layer in self.stack:
                inputs = layer(inputs)
            return inputs

    return MLP()


def _lstm(spec: LSTMSpec, input_shape: tuple[int, ...]) -> Any:
    keras = import_keras()
    layers = keras.layers
    recurrent = (
        "orthogonal"
        if spec.recurrent_scale == 1.0
        else keras.initializers.Orthogonal(gain=spec.recurrent_scale)
    )
    stack: list[Any] = [keras.Input(input_shape)]
    for index, units in enumerate(spec.units):
        stack.append(
            layers.LSTM(
                units,
                return_sequences=index < len(spec.units) - 1,
                recurrent_initializer=recurrent,
                dtype=spec.dtype,
                name=f"lstm_{index}",
            )
        )
    stack.append(
        layers.Dense(
            spec.outputs,
            activation=spec.output_activation,
            dtype=_output_dtype(spec.dtype),
            name="output",
        )
    )
    return keras.Sequential(stack, name="lstm")


def _embedding(spec: EmbeddingSpec, input_shape: tuple[int, ...]) -> Any:
    keras = import_keras()
    layers = keras.layers
    stack: list[Any] = [
        keras.Input(input_shape, dtype="int64"),
        layers.Embedding(
            spec.vocabulary,
            spec.dimension,
            mask_zero=spec.mask_zero,
            dtype=spec.dtype,
            name="embedding",
        ),
    ]
    stack += _between(spec, "")
    if spec.recurrent:
        lstm = layers.LSTM(
            spec.dimension, return_sequences=spec.per_token, dtype=spec.dtype, name="lstm"
        )
        stack.append(lstm)
    elif not spec.per_token:
        stack.append(layers.GlobalAveragePooling1D(dtype=spec.dtype, name="mean"))
    output = layers.Dense(
        spec.outputs,
        activation=spec.output_activation,
        dtype=_output_dtype(spec.dtype),
        name="output",
    )
    return keras.Sequential([*stack, output], name="embedding_model")


def _multi_output(spec: MultiOutputSpec, input_shape: tuple[int, ...]) -> Any:
    keras = import_keras()
    inputs = keras.Input(input_shape)
    trunk = _dense_stack(inputs, spec.units, spec.activation, spec.dtype)
    heads = [
        keras.layers.Dense(
            head.units,
            activation=head.activation,
            dtype=_output_dtype(spec.dtype),
            name=head.name,
        )(trunk)
        for head in spec.heads
    ]
    return keras.Model(inputs, heads, name="multi_output")


def _dense_stack(inputs: Any, units: Sequence[int], activation: str, dtype: str | None) -> Any:
    tensor = inputs
    for index, width in enumerate(units):
        layer = import_keras().layers.Dense(
            width, activation=activation, dtype=dtype, name=f"trunk_{index}"
        )
        tensor = layer(tensor)
    return tensor
