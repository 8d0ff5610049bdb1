"""Small trainings for the tests of what preflight foretells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from harness.callbacks import preflight

if TYPE_CHECKING:
    from collections.abc import Iterator

X = np.linspace(-1.0, 1.0, 20, dtype=np.float32)[:, None]
Y = 2.0 * X
MOST = 40
"""Batches after which a training that never ends is stopped."""


def model_of(optimizer: Any = None, **options: Any) -> Any:
    """A compiled line."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer or keras.optimizers.SGD(0.1), **{"loss": "mse", **options})
    return model


class Steps(keras.callbacks.Callback):  # type: ignore[misc]
    """Counts the batches of each epoch, and stops what never ends."""

    def __init__(self) -> None:
        """Nothing is counted yet."""
        super().__init__()
        self.train: list[int] = []
        self.test: list[int] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Begin to count."""
        self.train.append(0)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Count."""
        self.train[-1] += 1
        self.model.stop_training = self.train[-1] >= MOST

    def on_test_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        """Begin to count."""
        self.test.append(0)

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Count."""
        self.test[-1] += 1
        self.model.stop_evaluating = self.test[-1] >= MOST


def trained(model: Any, **arguments: Any) -> Steps:
    """The steps of a fit."""
    steps = Steps()
    callbacks = [*arguments.pop("callbacks", ()), steps]
    model.fit(**arguments, callbacks=callbacks, verbose=0)
    return steps


def rules_of(model: Any, **arguments: Any) -> list[str]:
    """Names of the rules that a fit breaks."""
    return [found.rule for found in preflight(model, **arguments)]


def batches(number: int) -> Iterator[Any]:
    """So many batches of two, once."""
    for index in range(number):
        yield X[2 * index : 2 * index + 2], Y[2 * index : 2 * index + 2]


def dataset() -> Any:
    """Five batches of four."""
    return tf.data.Dataset.from_tensor_slices((X, Y)).batch(4)


def classifier() -> Any:
    """A compiled model of three classes."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model
