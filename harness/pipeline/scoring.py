"""Hands drawn predictions to the real loss and metric objects, batch by batch or by `evaluate`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.pipeline.backend import import_keras, import_tensorflow
from harness.pipeline.losses import build_loss
from harness.pipeline.metrics import build_metric
from harness.pipeline.returned import by_name, return_dict
from harness.spec.metrics import PlainMetricSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from harness.pipeline.data import Examples
    from harness.spec.pipeline import PipelineSpec

__all__ = ["BatchScorer", "batches", "evaluated", "flat"]


class BatchScorer:
    """A loss and metrics as somebody who writes his own loop would use them."""

    def __init__(self, spec: PipelineSpec, *, with_loss: bool, compiled: bool) -> None:
        """Build the objects.

        Args:
            spec: Names the loss and the metrics.
            with_loss: Compute the loss and its gradient; otherwise only metrics are updated.
            compiled: Make a graph of it.
        """
        self._loss = build_loss(spec.loss) if with_loss else None
        self._metrics = [(item, build_metric(item, compiled=False)) for item in spec.metrics]
        self._tf = import_tensorflow()
        self._dtype = getattr(spec.data, "dtype", None)
        self._step = self._score
        if compiled:
            # Nothing in it is Python control flow, and AutoGraph warns of imports.
            self._step = self._tf.function(self._score, reduce_retracing=True, autograph=False)

    def score(self, batch: Examples) -> tuple[float, NDArray[np.float64]]:
        """Update the metrics by one batch.

        Returns:
            The loss, or the sum of what it left apart, and its gradient by the predictions.
        """
        tf = self._tf
        weight = None if batch.sample_weight is None else tf.constant(batch.sample_weight)
        predictions = tf.constant(batch.inputs)
        if self._dtype is not None:
            # Nothing is lost: the numbers have been rounded to it where they were drawn.
            predictions = tf.cast(predictions, self._dtype)
        loss, gradient = self._step(tf.constant(batch.targets), predictions, weight)
        return float(loss), np.asarray(gradient, np.float64)

    def reset(self) -> None:
        """Forget what the metrics have seen."""
        for _, metric in self._metrics:
            metric.reset_state()

    def results(self) -> dict[str, float]:
        """What every metric says now, by its name."""
        return flat({metric.name: metric.result() for _, metric in self._metrics})

    def _score(self, y_true: Any, y_pred: Any, weight: Any) -> tuple[Any, Any]:
        for item, metric in self._metrics:
            given = weight if item.weighted else None
            if isinstance(item, PlainMetricSpec) and item.kind in ("mean", "sum"):
                metric.update_state(y_pred, sample_weight=given)
            else:
                metric.update_state(y_true, y_pred, sample_weight=given)
        tf = self._tf
        if self._loss is None:
            return np.nan, tf.zeros([0], "float64")
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            # Only Keras' own class takes weights.
            if isinstance(self._loss, import_keras().losses.Loss):
                loss = self._loss(y_true, y_pred, sample_weight=weight)
            else:
                loss = self._loss(y_true, y_pred)
            total = tf.reduce_sum(loss)
        return total, tape.gradient(total, y_pred)


def batches(examples: Examples, size: int) -> Iterator[Examples]:
    """The examples in turn, the last batch with what is left."""
    for start in range(0, len(examples), size):
        yield examples.cut(slice(start, start + size))


def evaluated(spec: PipelineSpec, examples: Examples, *, epochs: int) -> list[dict[str, float]]:
    """What `evaluate` of a model that returns its input says, as often as there are epochs.

    Args:
        spec: Names the loss and the metrics.
        examples: The predictions are the inputs.
        epochs: How often.
    """
    keras = import_keras()
    inputs = keras.Input(examples.inputs.shape[1:], dtype=examples.inputs.dtype.name)
    output = keras.layers.Activation(
        "linear", name="output", dtype=getattr(spec.data, "dtype", None)
    )
    model = keras.Model(inputs, output(inputs))
    plain = [build_metric(item) for item in spec.metrics if not item.weighted]
    weighted = [build_metric(item) for item in spec.metrics if item.weighted]
    model.compile(
        optimizer="sgd",
        loss=build_loss(spec.loss),
        metrics=plain,
        weighted_metrics=weighted or None,
        run_eagerly=spec.compile.run_eagerly,
        jit_compile=spec.compile.jit_compile,
        steps_per_execution=spec.compile.steps_per_execution,
    )
    if getattr(spec.training, "via", "") == "reloaded":
        model = _reloaded(model)
    arguments: dict[str, Any] = dict(
        zip(("x", "y", "sample_weight"), examples.arrays(), strict=False)
    )
    arguments |= {"batch_size": spec.data.batch_size, "return_dict": return_dict(spec)}
    return [flat(by_name(model.evaluate(**arguments, verbose=0), spec)) for _ in range(epochs)]


def _reloaded(model: Any) -> Any:
    with tempfile.TemporaryDirectory(prefix="harness-") as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        return import_keras().models.load_model(path)


def flat(results: Mapping[str, Any]) -> dict[str, float]:
    """The results as numbers; one that is a list becomes as many, with their index."""
    numbers: dict[str, float] = {}
    for name, value in results.items():
        array = np.asarray(value, np.float64)
        if array.ndim == 0:
            numbers[name] = float(array)
        else:
            numbers |= {f"{name}[{index}]": float(part) for index, part in enumerate(array.flat)}
    return numbers
