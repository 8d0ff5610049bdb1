"""Operations are counted from shapes: against counts by hand, and against TensorFlow's own."""

from __future__ import annotations

from typing import Any

import keras
import pytest

from harness.pipeline.flops import forward_flops, state_bytes
from tests.pipeline.test_model import build


def test_dense_layers_are_matrix_products() -> None:
    """Two operations for each weight, biases left out."""
    assert forward_flops(build((4,), kind="mlp", units=[8, 3])) == 2 * (4 * 8 + 8 * 3)


def test_a_kernel_is_applied_at_every_place() -> None:
    """Strides leave places out, padding adds none."""
    model = build((64,), kind="convolution", image=[8, 8, 1], filters=[4, 6], strides=2)

    first, second = 3 * 3 * 1 * 4 * 4 * 4, 3 * 3 * 4 * 6 * 2 * 2
    assert forward_flops(model) == 2 * (first + second + 6 * 1)


def test_recurrence_multiplies_input_and_state_at_every_step() -> None:
    """Four gates, five steps."""
    assert forward_flops(build((5, 3), kind="lstm", units=[2])) == 2 * (5 * 8 * (3 + 2) + 2 * 1)


def test_attention_has_products_without_weights() -> None:
    """Scores and weighted values: quadratic in the length."""
    model = build((6, 3), kind="attention", num_heads=2, key_dim=4, feed_forward=16)

    width, length = 8, 6
    projections = length * 4 * width * width
    products = 2 * length * length * width
    feed_forward = length * 2 * width * 16
    assert forward_flops(model) == 2 * (
        length * 3 * width + projections + products + feed_forward + width
    )


def test_embeddings_are_looked_up() -> None:
    """A row of a table is not a product."""
    assert forward_flops(build((6,), kind="embedding", dimension=4)) == 2 * 4


def test_models_inside_models_count() -> None:
    """A model may be a layer of another."""
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(5)])
    model = keras.Sequential([keras.Input((4,)), inner, keras.layers.Dense(2)])

    assert forward_flops(model) == 2 * (4 * 5 + 5 * 2)


class Own(keras.layers.Layer):  # type: ignore[misc]
    """A matrix of somebody's own."""

    def build(self, input_shape: Any) -> None:
        """Make it."""
        self.matrix = self.add_weight(shape=(input_shape[-1], 2))

    def call(self, inputs: Any) -> Any:
        """Apply it."""
        return keras.ops.matmul(inputs, self.matrix)


def test_unknown_matrices_cannot_be_counted() -> None:
    """No number is better than one that leaves the largest product out."""
    assert forward_flops(keras.Sequential([keras.Input((4,)), Own()])) is None


def test_layers_of_no_one_shape_cannot_be_counted() -> None:
    """Layers out of sight of their model, or on sequences of any length."""
    assert forward_flops(build((4,), kind="mlp", style="subclassed")) in (None, 2 * (4 * 8 + 8))
    free = keras.Sequential([keras.Input((None, 3)), keras.layers.LSTM(2)])
    assert forward_flops(free) is None
    wide = keras.Sequential([keras.Input((None, 3)), keras.layers.Dense(2)])
    assert forward_flops(wide) is None


@pytest.mark.parametrize(
    ("shape", "table"),
    [
        ((4,), {"kind": "mlp", "units": [8, 3]}),
        ((64,), {"kind": "convolution", "image": [8, 8, 1], "filters": [4, 6], "strides": 2}),
    ],
)
def test_tensorflow_counts_the_same_products(shape: tuple[int, ...], table: dict[str, Any]) -> None:
    """Its graph has the matrix products and convolutions that the shapes promise."""
    import tensorflow as tf

    model = build(shape, **table)
    graph = tf.function(model).get_concrete_function(tf.TensorSpec([1, *shape])).graph
    products = [each for each in graph.get_operations() if each.type in ("MatMul", "Conv2D")]

    assert forward_flops(model) == sum(_flops(graph, product) for product in products)


def _flops(graph: Any, operation: Any) -> int:
    from tensorflow.python.framework import ops

    return int(ops.get_stats_for_node_def(graph, operation.node_def, "flops").value)


def test_state_is_counted_in_bytes() -> None:
    """Four bytes for each float32."""
    model = build((4,), kind="mlp", units=[8, 3])

    assert state_bytes(model.variables) == 4 * (4 * 8 + 8 + 8 * 3 + 3)
