# ruff: noqa: INP001, TID253 - no package, and loaded by the scenarios that name it
"""Penalties and constraints, as Keras' objects and as the formulas that its documentation gives."""

from __future__ import annotations

from typing import Any

import keras

__all__ = ["penalised_model"]


def norms(kernel: Any, axis: int) -> Any:
    """The length of each vector along an axis."""
    return keras.ops.sqrt(keras.ops.sum(keras.ops.square(kernel), axis=axis, keepdims=True))


def orthogonal(vectors: Any) -> Any:
    """The mean size of the products of two different rows, each of length 1."""
    rows = vectors / norms(vectors, 1)
    products = keras.ops.absolute(keras.ops.matmul(rows, keras.ops.transpose(rows)))
    count = int(vectors.shape[0])
    return (keras.ops.sum(products) - float(count)) / float(count * (count - 1))


def l1_formula(kernel: Any) -> Any:
    """``L1(0.0625)``."""
    return 0.0625 * keras.ops.sum(keras.ops.absolute(kernel))


def l2_formula(kernel: Any) -> Any:
    """``L2(0.125)``."""
    return 0.125 * keras.ops.sum(keras.ops.square(kernel))


def both_formulas(kernel: Any) -> Any:
    """``L1L2(0.0625, 0.125)``."""
    return l1_formula(kernel) + l2_formula(kernel)


def rows_formula(kernel: Any) -> Any:
    """``OrthogonalRegularizer(0.25)``, of the rows."""
    return 0.25 * orthogonal(kernel)


def columns_formula(kernel: Any) -> Any:
    """``OrthogonalRegularizer(0.25)``, of the columns."""
    return 0.25 * orthogonal(keras.ops.transpose(kernel))


def not_negative(kernel: Any) -> Any:
    """``NonNeg()``."""
    return keras.ops.maximum(kernel, 0.0)


def rows_of_one(kernel: Any) -> Any:
    """``UnitNorm(axis=1)``."""
    return kernel / norms(kernel, 1)


def rows_of_half(kernel: Any) -> Any:
    """``MaxNorm(0.5, axis=1)``."""
    return kernel * keras.ops.minimum(1.0, 0.5 / norms(kernel, 1))


def rows_moved(kernel: Any) -> Any:
    """``MinMaxNorm(0.75, 0.875, rate=0.25, axis=1)``."""
    found = norms(kernel, 1)
    wanted = keras.ops.clip(found, 0.75, 0.875)
    return kernel * (0.25 * wanted + 0.75 * found) / found


def pairs() -> list[tuple[tuple[Any, Any], tuple[Any, Any]]]:
    """For each layer its penalty and its constraint, each as an object and as a formula."""
    regularizers, constraints = keras.regularizers, keras.constraints
    orthogonal_rows = regularizers.OrthogonalRegularizer(0.25)
    orthogonal_columns = regularizers.OrthogonalRegularizer(0.25, mode="columns")
    return [
        ((regularizers.L1(0.0625), l1_formula), (constraints.NonNeg(), not_negative)),
        ((regularizers.L2(0.125), l2_formula), (constraints.UnitNorm(axis=1), rows_of_one)),
        (
            (regularizers.L1L2(0.0625, 0.125), both_formulas),
            (constraints.MaxNorm(0.5, axis=1), rows_of_half),
        ),
        (
            (orthogonal_rows, rows_formula),
            (constraints.MinMaxNorm(0.75, 0.875, rate=0.25, axis=1), rows_moved),
        ),
        ((orthogonal_columns, columns_formula), (constraints.UnitNorm(axis=1), rows_of_one)),
    ]


def penalised_model(penalty: str, constraint: str, made_from: str = "arguments") -> keras.Model:
    """Dense layers side by side, each with a penalty and a constraint on its kernel.

    Args:
        penalty: How the penalties are written, as Keras' `object` or as a plain `function`.
        constraint: Likewise.
        made_from: What its layers are made of, their `arguments` or a `configuration`.
    """
    ways = ("object", "function")
    layers = []
    for number, (penalties, constraints) in enumerate(pairs()):
        layer = keras.layers.Dense(
            3,
            kernel_initializer=keras.initializers.RandomUniform(0.25, 1.0, seed=number),
            kernel_regularizer=penalties[ways.index(penalty)],
            kernel_constraint=constraints[ways.index(constraint)],
        )
        if made_from == "configuration":
            layer = keras.layers.Dense.from_config(layer.get_config())
        layers.append(layer)
    start = keras.initializers.RandomUniform(-0.25, 0.25, seed=len(layers))

    class SideBySide(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.parts = layers
            self.last = keras.layers.Dense(1, kernel_initializer=start)

        def call(self, inputs: Any) -> Any:
            parts = [part(inputs) for part in self.parts]
            return self.last(keras.ops.concatenate(parts, axis=-1))

    return SideBySide()
