# ruff: noqa: INP001, TID253 - no package, and loaded by the scenarios that name it
"""Training code of one's own as the texts have it, in our words; scenarios show what it does."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

__all__ = [
    "accumulating_model",
    "checkpoint_without_ending",
    "counts_by_functions",
    "mean_prediction",
    "mean_square",
    "model_without_batch_size",
    "noisy_model",
    "rate_of_the_epoch",
    "reads_rate_by_call",
    "spread_over_steps",
    "tells_metrics_names",
]


def rate_of_the_epoch() -> keras.optimizers.Optimizer:
    """Adam whose learning rate is a function of the epoch."""
    return keras.optimizers.Adam(learning_rate=lambda epoch: 0.01 * 0.5 ** (epoch // 10))


def reads_rate_by_call() -> keras.callbacks.Callback:
    """A callback that asks the optimizer's rate for its value at step 0."""

    class RateReader(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
            self.model.optimizer.learning_rate(0)

    return RateReader()


def mean_prediction(y_true: Any, y_pred: Any) -> Any:  # noqa: ARG001 - Keras' signature
    """A loss that is the prediction itself: what has mean 0 in a network has none in it."""
    return keras.ops.mean(y_pred, axis=-1)


def mean_square(y_true: Any, y_pred: Any) -> Any:  # noqa: ARG001 - Keras' signature
    """A loss that is the square of the prediction: the variance of what has mean 0."""
    return keras.ops.mean(keras.ops.square(y_pred), axis=-1)


def spread_over_steps(y_true: Any, y_pred: Any) -> Any:  # noqa: ARG001 - Keras' signature
    """A loss that is the variance over the steps of a sequence: 0 where all steps are alike."""
    return keras.ops.mean(keras.ops.var(y_pred, axis=1), axis=-1)


def checkpoint_without_ending() -> keras.callbacks.Callback:
    """A callback that makes the checkpoint callback of the text when training begins."""

    class CheckpointMaker(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002
            keras.callbacks.ModelCheckpoint(filepath="model_weights", save_best_only=True)

    return CheckpointMaker()


def accumulating_model(micro_batches: int) -> keras.Model:
    """A model that adds up gradients itself, and asks a counter when to apply them."""

    class Accumulating(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.layer = keras.layers.Dense(1)
            self.seen = tf.Variable(0, trainable=False)

        def call(self, inputs: Any) -> Any:
            return self.layer(inputs)

        def train_step(self, data: Any) -> dict[str, Any]:
            inputs, targets = data
            with tf.GradientTape() as tape:
                loss = self.compute_loss(inputs, targets, self(inputs, training=True))
            gradients = tape.gradient(loss, self.trainable_variables)
            self.seen.assign_add(1)
            # A tensor where Python wants to know: as in the text, outside of any tf.cond.
            if bool(tf.equal(self.seen % micro_batches, 0)):
                self.optimizer.apply(gradients, self.trainable_variables)
            return {"loss": loss}

    return Accumulating()


def noisy_model(units: int) -> keras.Model:
    """A model whose training adds noise that nobody gave a seed."""

    class Noise(keras.layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any, training: bool = False) -> Any:  # noqa: FBT001, FBT002 - Keras
            noise = keras.random.normal(keras.ops.shape(inputs), dtype=inputs.dtype)
            return inputs + noise if training else inputs

    return keras.Sequential([keras.layers.Dense(units), Noise(), keras.layers.Dense(1)])


def model_without_batch_size(units: int) -> keras.Model:
    """A model that is trained without saying how many examples make a batch."""

    class Unsized(keras.Sequential):  # type: ignore[misc]
        def fit(self, *arguments: Any, batch_size: int, **options: Any) -> Any:  # noqa: ARG002
            return super().fit(*arguments, **options)

    return Unsized([keras.layers.Dense(units)])


def counts_by_functions(epochs: int, batches: int, names: bool) -> keras.callbacks.Callback:  # noqa: FBT001 - a scenario's argument
    """A callback of functions that raises at the end unless each was called as often as due.

    Args:
        epochs: Epochs of the training.
        batches: Batches of each.
        names: The functions take what they are given by any name, not by position alone.
    """
    seen: list[str] = []
    due = {"train_begin": 1, "epoch_begin": epochs, "epoch_end": epochs}
    due |= {"train_batch_begin": epochs * batches, "train_batch_end": epochs * batches}

    def noted(hook: str) -> Any:
        if names:
            return lambda *_, **__: seen.append(hook)
        return lambda *_: seen.append(hook)

    def compared(_: Any) -> None:
        found = {hook: seen.count(hook) for hook in due}
        if found != due:
            message = f"functions were called {found} times, not {due}"
            raise LookupError(message)

    hooks = {f"on_{hook}": noted(hook) for hook in due}
    return keras.callbacks.LambdaCallback(**hooks, on_train_end=compared)


def tells_metrics_names() -> keras.callbacks.Callback:
    """A callback that breaks training off with what the model calls its metrics."""

    class NameTeller(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
            message = f"metrics_names is {self.model.metrics_names}, logged are {sorted(logs)}"
            raise LookupError(message)

    return NameTeller()
