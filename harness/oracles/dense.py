"""Forward and backward pass of a stack of dense layers."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, assert_never

import numpy as np

from harness.oracles.arrays import Float64, Int64, require_same_shape
from harness.oracles.losses import Reduction, loss_and_gradient, sigmoid
from harness.oracles.penalties import Penalty, penalty_gradient, penalty_of

Activation = Literal["linear", "relu", "tanh", "sigmoid", "softmax"]


class DenseLayer(NamedTuple):
    """One layer: ``activation(x @ kernel + bias)``.

    Attributes:
        kernel: Shape (inputs, outputs).
        bias: Shape (outputs,), or None.
        activation: Function applied to the sum.
        penalty: What the kernel adds to the loss. Keras rounds its factors to float32.
    """

    kernel: Float64
    bias: Float64 | None = None
    activation: Activation = "linear"
    penalty: Penalty = Penalty()


class Differentiated(NamedTuple):
    """A loss and how it changes with each parameter.

    Attributes:
        loss: Reduced loss, regularisation included.
        gradients: One array per parameter, in the order of `parameters_of`.
        predictions: Output of the last layer, shape (batch, outputs).
    """

    loss: float
    gradients: tuple[Float64, ...]
    predictions: Float64


def parameters_of(layers: Sequence[DenseLayer]) -> tuple[Float64, ...]:
    """Return kernel and bias of each layer in turn, the order of Keras' trainable variables."""
    return tuple(
        array for layer in layers for array in (layer.kernel, layer.bias) if array is not None
    )


def with_parameters(
    layers: Sequence[DenseLayer], parameters: Sequence[Float64]
) -> tuple[DenseLayer, ...]:
    """Return the same layers with other parameters, given in the order of `parameters_of`.

    Raises:
        ShapeError: A parameter has another shape than the one it replaces.
    """
    replaced = []
    rest = iter(parameters)
    for layer in layers:
        kernel = next(rest)
        bias = None if layer.bias is None else next(rest)
        require_same_shape(layer.kernel, kernel=kernel)
        if layer.bias is not None and bias is not None:
            require_same_shape(layer.bias, bias=bias)
        replaced.append(layer._replace(kernel=kernel, bias=bias))
    return tuple(replaced)


def activate(values: Float64, activation: Activation) -> Float64:
    """Return the activation of `values`, same shape; softmax runs over the last axis."""
    match activation:
        case "linear":
            return values
        case "relu":
            return np.maximum(values, 0.0)
        case "tanh":
            return np.tanh(values)
        case "sigmoid":
            return sigmoid(values)
        case "softmax":
            powers: Float64 = np.exp(values - np.max(values, axis=-1, keepdims=True))
            total: Float64 = np.sum(powers, axis=-1, keepdims=True)
            return powers / total
        case _:  # pragma: no cover
            assert_never(activation)


def activation_gradient(gradient: Float64, output: Float64, activation: Activation) -> Float64:
    """Return the derivative by an activation's input, from that by its output.

    The derivative of relu at 0 is 0.

    Args:
        gradient: Derivative of the loss by the output, shape (batch, outputs).
        output: The output itself, shape (batch, outputs).
        activation: Function that made it.
    """
    match activation:
        case "linear":
            return gradient
        case "relu":
            return gradient * (output > 0)
        case "tanh":
            return gradient * (1.0 - output**2)
        case "sigmoid":
            return gradient * output * (1.0 - output)
        case "softmax":
            mean: Float64 = np.sum(gradient * output, axis=-1, keepdims=True)
            return output * (gradient - mean)
        case _:  # pragma: no cover
            assert_never(activation)


def forward(layers: Sequence[DenseLayer], x: Float64) -> tuple[Float64, ...]:
    """Return the input and the output of every layer, shapes (batch, width) each."""
    outputs = [x]
    for layer in layers:
        total = outputs[-1] @ layer.kernel
        if layer.bias is not None:
            total = total + layer.bias
        outputs.append(activate(total, layer.activation))
    return tuple(outputs)


def backward(
    layers: Sequence[DenseLayer], outputs: Sequence[Float64], gradient: Float64
) -> tuple[Float64, ...]:
    """Return the derivative of the loss by every parameter, penalties included.

    Args:
        layers: The layers.
        outputs: What `forward` returned.
        gradient: Derivative of the unregularised loss by the last output.

    Returns:
        One array per parameter, in the order of `parameters_of`.

    Raises:
        ShapeError: `gradient` does not have the shape of the last output.
    """
    require_same_shape(outputs[-1], gradient=gradient)
    found: list[Float64] = []
    for index in reversed(range(len(layers))):
        layer = layers[index]
        gradient = activation_gradient(gradient, outputs[index + 1], layer.activation)
        if layer.bias is not None:
            found.append(np.sum(gradient, axis=0))
        found.append(outputs[index].T @ gradient + penalty_gradient(layer.penalty, layer.kernel))
        gradient = gradient @ layer.kernel.T
    return tuple(reversed(found))


def loss_and_gradients(
    layers: Sequence[DenseLayer],
    x: Float64,
    y: Float64 | Int64,
    loss: str,
    *,
    sample_weight: Float64 | None = None,
    reduction: Reduction = "sum_over_batch_size",
    loss_weight: float = 1.0,
    **arguments: float | bool,
) -> Differentiated:
    """Return loss, parameter gradients and predictions for one batch.

    ``loss = loss_weight * reduced loss + sum over layers of penalty_of(kernel)``. A softmax or
    sigmoid in front of a crossentropy is differentiated through the logits, where the crossentropy
    needs no clip; that is what Keras does, and it only differs where a probability falls below
    1e-7.

    Args:
        layers: The layers.
        x: Inputs, shape (batch, inputs).
        y: Targets, shape (batch, outputs), or class indices for the sparse loss.
        loss: Name of the loss, such as "mean_squared_error".
        sample_weight: Weight per sample, shape (batch,).
        reduction: How values per sample become one.
        loss_weight: Factor on what is reduced, not on the penalties.
        **arguments: Arguments of the loss under Keras' names.

    Raises:
        ArgumentError: Loss or reduction is unknown.
        ShapeError: The arrays don't fit together.
    """
    outputs = forward(layers, x)
    stack = tuple(layers)
    through = _fused(layers[-1].activation, loss)
    if through:
        stack = (*stack[:-1], stack[-1]._replace(activation="linear"))
        outputs = (*outputs[:-1], forward(stack[-1:], outputs[-2])[-1])
        arguments = {**arguments, "from_logits": True}
    value = loss_and_gradient(
        loss, y, outputs[-1], reduction=reduction, sample_weight=sample_weight, **arguments
    )
    penalty = sum(penalty_of(layer.penalty, layer.kernel) for layer in layers)
    predictions = activate(outputs[-1], layers[-1].activation) if through else outputs[-1]
    return Differentiated(
        loss_weight * float(np.sum(value.values)) + penalty,
        backward(stack, outputs, loss_weight * value.gradient),
        predictions,
    )


def _fused(activation: Activation, loss: str) -> bool:
    pairs = {
        ("sigmoid", "binary_crossentropy"),
        ("softmax", "categorical_crossentropy"),
        ("softmax", "sparse_categorical_crossentropy"),
    }
    return (activation, loss) in pairs
