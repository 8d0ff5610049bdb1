# ruff: noqa: INP001, TID253 - no package, and loaded by the scenarios that name it
"""Models and callbacks of one's own that Keras should treat alike; scenarios show where it does."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

__all__ = [
    "assigns_schedule_late",
    "excludes_kernels_late",
    "inner_part_with_metric",
    "inner_was_compiled",
    "masked_steps",
    "own_train_step",
    "remembers",
    "sibling_branches",
    "statistics_are_frozen",
    "tracks_its_loss",
]

FEATURES = 3


def dense(units: int, seed: int, **options: Any) -> Any:
    """A dense layer whose first weights depend on nothing that was made before it."""
    start = keras.initializers.RandomUniform(-1.0, 1.0, seed=seed)
    return keras.layers.Dense(units, kernel_initializer=start, **options)


def statistics_are_frozen(style: str) -> keras.Model:
    """A model whose batch normalisation is told that it does not train, at its call.

    Args:
        style: `functional`, `nested`, where it is a model within that is told, or `subclassed`.
    """
    first, last = dense(4, 0), dense(1, 1)
    normalisation = keras.layers.BatchNormalization(momentum=0.5)
    if style == "functional":
        inputs = keras.Input((FEATURES,))
        hidden = normalisation(first(inputs), training=False)
        return keras.Model(inputs, last(hidden))

    if style == "nested":
        inputs = keras.Input((FEATURES,))
        base = keras.Model(inputs, normalisation(first(inputs)))
        inputs = keras.Input((FEATURES,))
        return keras.Model(inputs, last(base(inputs, training=False)))

    class Frozen(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.first, self.normalisation, self.last = first, normalisation, last

        def call(self, inputs: Any, training: Any = None) -> Any:  # noqa: ARG002 - Keras hands it on
            return self.last(self.normalisation(self.first(inputs), training=False))

    return Frozen()


def sibling_branches(first: str) -> keras.Model:
    """A sum of two branches, one of which is told that it does not train.

    Args:
        first: Which one is called first, `fixed` or `ordinary`.
    """

    class Branches(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.start = dense(4, 0)
            self.fixed = keras.layers.BatchNormalization(momentum=0.5)
            self.ordinary = keras.layers.BatchNormalization(momentum=0.5)
            self.left, self.right = dense(1, 1), dense(1, 2)

        def call(self, inputs: Any, training: Any = None) -> Any:  # noqa: ARG002 - Keras hands it on
            hidden = self.start(inputs)
            if first == "fixed":
                left = self.fixed(hidden, training=False)
                right = self.ordinary(hidden)
            else:
                right = self.ordinary(hidden)
                left = self.fixed(hidden, training=False)
            return self.left(left) + self.right(right)

    return Branches()


def inner_part_with_metric(base: str) -> keras.Model:
    """A model with a part of one's own that keeps a mean of what it puts out.

    Args:
        base: What the part is, a `layer` or a `model`.
    """
    bases: dict[str, Any] = {"layer": keras.layers.Layer, "model": keras.Model}

    class Part(bases[base]):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inside = dense(2, 0)
            self.seen = keras.metrics.Mean(name="seen")

        def call(self, inputs: Any) -> Any:
            outputs = self.inside(inputs)
            self.seen.update_state(outputs)
            return outputs

    class Whole(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.part, self.last = Part(), dense(1, 1)

        def call(self, inputs: Any) -> Any:
            return self.last(self.part(inputs))

    return Whole()


def remembers(what: str, *, within: bool = False) -> keras.Model:
    """A model with a layer that remembers something in float32, whatever it computes in.

    Args:
        what: A `value` that it assigns, a `count` that it adds to, or a `metric` that it updates.
        within: Whether it calls a layer of another dtype before it reads its own weight.
    """
    third = keras.initializers.Constant(1.0 / 3.0)

    class Memory(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(name="memory")
            self.inner = keras.layers.Identity(dtype="float32", name="inner")
            self.third = self.add_weight(
                shape=(), initializer=third, trainable=False, dtype="float32", name="third"
            )
            if what == "metric":
                self.seen = keras.metrics.Mean(name="seen")
            else:
                start = keras.initializers.Constant(2048.0)
                self.kept = self.add_weight(
                    shape=(), initializer=start, trainable=False, dtype="float32", name="kept"
                )

        def call(self, inputs: Any) -> Any:
            if what == "metric":
                self.seen.update_state(np.full(64, 512.0, np.float32))
            elif what == "count":
                self.kept.assign_add(1.0)
            else:
                self.kept.assign(1.0 / 3.0)
            if within:
                # What it puts out is dropped: only what it leaves behind may differ.
                self.inner(inputs)
            return inputs * self.third

    return keras.Sequential([Memory(), dense(1, 0)])


def inner_was_compiled(compiled: bool) -> keras.Model:  # noqa: FBT001 - a scenario's argument
    """A model around another that may have been compiled and trained before, at its old weights.

    Args:
        compiled: Whether it was.
    """
    inner = keras.Sequential([keras.Input((FEATURES,)), dense(2, 0)])
    if compiled:
        weights = inner.get_weights()
        inner.compile(optimizer="sgd", loss="mean_squared_error", metrics=["mean_absolute_error"])
        inner.train_on_batch(np.ones((2, FEATURES)), np.zeros((2, 2)))
        inner.set_weights(weights)
    return keras.Sequential([keras.Input((FEATURES,)), inner, dense(1, 1)])


def tracks_its_loss() -> keras.Model:
    """A model that reports the mean of its losses itself, by a metric that holds another."""

    class Whole(keras.metrics.Metric):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(name="whole")
            self.part = keras.metrics.Mean(name="part")

        def update_state(self, value: Any) -> None:
            self.part.update_state(value)

        def result(self) -> Any:
            return self.part.result()

    class Tracking(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.whole = dense(1, 0), Whole()

        def call(self, inputs: Any) -> Any:
            return self.layer(inputs)

        def train_step(self, data: Any) -> dict[str, Any]:
            inputs, targets = data
            with tf.GradientTape() as tape:
                loss = self.compute_loss(inputs, targets, self(inputs, training=True))
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply(gradients, self.trainable_variables)
            self.whole.update_state(loss)
            return {"loss": loss, "mean_loss": self.whole.result()}

    return Tracking()


def masked_steps(vocabulary: int, masking: bool) -> keras.Model:  # noqa: FBT001 - a scenario's argument
    """A model that reads a text as two numbers a token, both -1 for token 0, one for each other.

    Args:
        vocabulary: How many tokens there are.
        masking: Steps of nothing but -1 are left out.
    """
    table = [[-1.0, -1.0 if token == 0 else float(token)] for token in range(vocabulary)]
    start = keras.initializers.Constant(np.array(table))
    numbers = keras.layers.Embedding(vocabulary, 2, embeddings_initializer=start)
    numbers.trainable = False
    left_out = [keras.layers.Masking(mask_value=-1.0)] if masking else []
    mean = keras.layers.GlobalAveragePooling1D()
    inputs = keras.Input((None,), dtype="int64")
    return keras.Sequential([inputs, numbers, *left_out, dense(3, 0), mean, dense(1, 1)])


def own_train_step(others: bool) -> keras.Model:  # noqa: FBT001 - a scenario's argument
    """A model whose own train step reports twice its loss, plus one.

    Args:
        others: Whether it reports something else as well.
    """

    class OwnStep(keras.Sequential):  # type: ignore[misc]
        def train_step(self, data: Any) -> dict[str, Any]:
            inputs, targets = data
            with tf.GradientTape() as tape:
                error = self(inputs, training=True) - targets
                loss = 2.0 * tf.reduce_mean(tf.square(error)) + 1.0
            weights = self.trainable_variables
            self.optimizer.apply(tape.gradient(loss, weights), weights)
            return {"loss": loss, "own": loss} if others else {"loss": loss}

    return OwnStep([dense(1, 0)])


def excludes_kernels_late() -> keras.callbacks.Callback:
    """A callback that excludes kernels from decay; where it may not, it ends the training."""

    class LateExclusion(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
            if epoch == 1:
                try:
                    self.model.optimizer.exclude_from_weight_decay(var_names=["kernel"])
                except ValueError:
                    self.model.stop_training = True

    return LateExclusion()


def assigns_schedule_late() -> keras.callbacks.Callback:
    """A callback that assigns a schedule of rate 0; where it may not, it ends the training."""

    class LateSchedule(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002
            optimizer = self.model.optimizer
            if int(keras.ops.convert_to_numpy(optimizer.iterations)) == 0:
                return
            try:
                optimizer.learning_rate = keras.optimizers.schedules.ExponentialDecay(0.0, 1, 0.5)
            except (TypeError, ValueError):
                self.model.stop_training = True

    return LateSchedule()
