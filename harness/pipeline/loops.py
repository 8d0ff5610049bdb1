"""The training loops under one signature: Keras' own, and the ones people write by hand."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_never

import numpy as np

from harness.errors import PipelineError
from harness.pipeline.backend import import_tensorflow
from harness.pipeline.on_batch import Means, OnBatch
from harness.pipeline.saving import save_and_load
from harness.spec.callbacks import ProgressBarSpec
from harness.spec.training import (
    ApplyGradientsSpec,
    FitSpec,
    GradientTapeSpec,
    LegacyGlobalStepSpec,
    LoopSpec,
    TrainOnBatchSpec,
    UpdateMetricsSpec,
    WhileLoopSpec,
    given_class_weights,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.pipeline.inputs import Inputs
    from harness.pipeline.observer import Observer, Step
    from harness.pipeline.pipeline import TrainingPipeline
    from harness.pipeline.sources import Source
    from harness.spec.data import ValidationSpec
    from harness.spec.pipeline import PipelineSpec

__all__ = ["LoopEnd", "train"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopEnd:
    """How a loop came to its end.

    Attributes:
        reached_max_steps: Its own step budget ended it.
        ran_out: It asked the source for a batch that was not there.
        history: What ``fit`` returned.
    """

    reached_max_steps: bool = False
    ran_out: bool = False
    history: Any = None


def train(
    pipeline: TrainingPipeline,
    spec: PipelineSpec,
    inputs: Inputs,
    callbacks: list[Any],
    observer: Observer,
) -> LoopEnd:
    """Run the loop that the spec names, to its end or into an exception.

    Args:
        pipeline: Built and reset.
        spec: Says which loop, and its budget.
        inputs: Where batches come from.
        callbacks: For ``fit``, already observed.
        observer: Told about the epochs of the loops that are not Keras'.

    Raises:
        PipelineError: The loop cannot read that kind of source.
    """
    training = spec.training
    match training:
        case ApplyGradientsSpec():
            return _apply_gradients(pipeline, training, observer)
        case FitSpec():
            return LoopEnd(history=_fits(pipeline, spec, training, inputs, callbacks))
        case TrainOnBatchSpec():
            on_batch = OnBatch(pipeline.model, training, spec, inputs.validation)
            return _loop(
                pipeline, training, inputs, observer, on_batch.step, validate=on_batch.validate
            )
        case GradientTapeSpec():
            step = _compiled(pipeline) if training.compiled else _eager(pipeline)
            return _loop(pipeline, training, inputs, observer, step)
        case LegacyGlobalStepSpec():
            return _loop(pipeline, training, inputs, observer, _eager(pipeline))
        case WhileLoopSpec():
            return _while_loop(pipeline, training, inputs, observer)
        case UpdateMetricsSpec():
            message = "nothing is trained by update_metrics"
            raise TypeError(message)
        case _:
            assert_never(training)


def _fits(
    pipeline: TrainingPipeline,
    spec: PipelineSpec,
    training: FitSpec,
    inputs: Inputs,
    callbacks: list[Any],
) -> Any:
    """One fit, or two with a file between them; the history of the last."""
    border = training.save_and_load_after
    if border is not None:
        first = training.model_copy(update={"epochs": border})
        _fit(pipeline.model, spec, first, inputs, callbacks)
        save_and_load(pipeline, spec, training.saved_as)
        training = training.model_copy(update={"initial_epoch": border})
    return _fit(pipeline.model, spec, training, inputs, callbacks)


def _frequency(validation: ValidationSpec) -> int | list[int]:
    epochs = validation.validation_epochs
    return validation.validation_freq if epochs is None else list(epochs)


def _fit(
    model: Any, spec: PipelineSpec, training: FitSpec, inputs: Inputs, callbacks: list[Any]
) -> Any:
    source, validation = _source(inputs), inputs.validation
    arguments = source.fit_arguments()
    if source.whole or source.kind == "py_dataset":
        arguments["shuffle"] = source.shuffle
    if validation is not None and spec.validation is not None:
        arguments |= {
            "validation_steps": spec.validation.validation_steps,
            "validation_freq": _frequency(spec.validation),
        }
        if spec.validation.by_keras:
            arguments |= source.with_rest(validation.examples)
            arguments["validation_split"] = spec.validation.split
        else:
            arguments["validation_data"] = validation.data
        if validation.whole:
            arguments["validation_batch_size"] = validation.batch_size
    weights = given_class_weights(training)
    if weights is not None:
        arguments["class_weight"] = weights
    return model.fit(
        **arguments,
        epochs=training.epochs,
        initial_epoch=training.initial_epoch,
        steps_per_epoch=training.steps_per_epoch,
        callbacks=callbacks,
        verbose=_verbose(spec),
    )


def _verbose(spec: PipelineSpec) -> int:
    """Without a progress bar nothing is printed."""
    bars = [bar.verbose for bar in spec.callbacks if isinstance(bar, ProgressBarSpec)]
    return bars[0] if bars else 0


def _loop(
    pipeline: TrainingPipeline,
    training: LoopSpec,
    inputs: Inputs,
    observer: Observer,
    step: Step,
    *,
    validate: Callable[[int], dict[str, float]] = lambda _: {},
) -> LoopEnd:
    """Epochs over the source; the condition that ends it is the loop's own."""
    source = _source(inputs)
    ran_out = False
    for epoch in range(training.epochs):
        observer.on_epoch_begin(epoch)
        means = Means()
        batches: Iterator[Any] = source.epoch()
        while training.steps_per_epoch is None or means.batches < training.steps_per_epoch:
            if _spent(pipeline, training.max_steps):
                break
            batch = next(batches, None)
            if batch is None:
                ran_out |= training.steps_per_epoch is not None or not means.batches
                break
            observer.on_batch_begin(means.batches)
            logs = step(batch)
            observer.on_batch_end()
            means.add(logs, len(batch[0]))
        observer.on_epoch_end(epoch, means.values() | validate(epoch))
        if _spent(pipeline, training.max_steps):
            return LoopEnd(reached_max_steps=True)
    return LoopEnd(ran_out=ran_out)


def _spent(pipeline: TrainingPipeline, max_steps: int | None) -> bool:
    return max_steps is not None and int(pipeline.optimizer.iterations.numpy()) >= max_steps


def _observed_step(pipeline: TrainingPipeline) -> Step:
    if pipeline.step is None:
        message = "this pipeline was built for fit"
        raise TypeError(message)
    return pipeline.step


def _compiled(pipeline: TrainingPipeline) -> Callable[[Any], Any]:
    return _with_tensors(_graph(pipeline))


def _graph(pipeline: TrainingPipeline, *, autograph: bool = True) -> Step:
    """The step as a graph, kept with the pipeline so that a second run does not trace again."""
    step = pipeline.compiled_step
    if step is None:
        function: Step = import_tensorflow().function(
            _observed_step(pipeline), reduce_retracing=True, autograph=autograph
        )
        step = pipeline.compiled_step = function
    return step


def _eager(pipeline: TrainingPipeline) -> Callable[[Any], Any]:
    return _with_tensors(_observed_step(pipeline))


def _with_tensors(step: Step) -> Step:
    tf = import_tensorflow()

    def converted(batch: Any) -> Any:
        return step(tf.nest.map_structure(tf.convert_to_tensor, batch))

    return converted


def _while_loop(
    pipeline: TrainingPipeline, training: WhileLoopSpec, inputs: Inputs, observer: Observer
) -> LoopEnd:
    """Text 000's loop, as it was meant: the condition reads the count, the count stops nothing."""
    tf = import_tensorflow()
    source = _source(inputs)
    if not source.kind.startswith("dataset"):
        message = (
            f"while_loop must read a tf.data.Dataset, got source {source.kind!r}. "
            'Set data.source to "dataset".'
        )
        raise PipelineError(message)
    step = _observed_step(pipeline)
    iterator = iter(source.data)

    def wanted(batch: Any, *_: Any) -> Any:
        # Asked anew each time: under accumulation the count is computed, not a variable.
        count = tf.convert_to_tensor(pipeline.optimizer.iterations)
        return tf.logical_and(count < training.max_steps, batch.has_value())

    def body(batch: Any, total: Any, examples: Any) -> Any:
        values = batch.get_value()
        size = tf.cast(tf.shape(values[0])[0], "float64")
        loss = tf.cast(step(values)["loss"], "float64")
        return iterator.get_next_as_optional(), total + size * loss, examples + size

    def run() -> Any:
        zero = tf.zeros([], "float64")
        batch, total, examples = tf.while_loop(
            wanted, body, [iterator.get_next_as_optional(), zero, zero]
        )
        return batch.has_value(), total, examples

    observer.on_epoch_begin(0)
    more, total, examples = tf.function(run)()
    observer.on_epoch_end(0, {"loss": float(total / examples)} if examples > 0 else {})
    spent = _spent(pipeline, training.max_steps)
    return LoopEnd(reached_max_steps=spent, ran_out=not spent and not bool(more))


def _apply_gradients(
    pipeline: TrainingPipeline, training: ApplyGradientsSpec, observer: Observer
) -> LoopEnd:
    wide = pipeline.trainable[0].dtype == "float64"
    rows = np.asarray(training.gradients, dtype="float64" if wide else "float32")
    observer.on_epoch_begin(0)
    if training.compiled and not training.missing and training.save_and_load_after is None:
        _all_rows(pipeline)(import_tensorflow().constant(rows))
    else:
        _each_row(pipeline, training, rows, observer)
    observer.on_epoch_end(0, {})
    return LoopEnd()


def _each_row(
    pipeline: TrainingPipeline, training: ApplyGradientsSpec, rows: Any, observer: Observer
) -> None:
    """One call a step, between which something may change."""
    tf = import_tensorflow()
    step = _driven(pipeline, training)
    for index, row in enumerate(rows):
        if index == training.save_and_load_after:
            pipeline.save_and_load()
            step = _driven(pipeline, training)
        observer.on_batch_begin(index)
        # Which gradients are missing is part of the graph: one trace for each such set.
        step({"row": tf.constant(row), "missing": training.missing_in(index)})
        observer.on_batch_end()


def _all_rows(pipeline: TrainingPipeline) -> Callable[[Any], Any]:
    """All steps in one call, as `steps_per_execution` has them: a call each costs more than a step.

    Kept with the pipeline like a single step; the number of rows is not part of it.
    """
    if pipeline.compiled_step is None:
        tf = import_tensorflow()
        step = _observed_step(pipeline)

        def body(index: Any, rows: Any) -> Any:
            step({"row": rows[index], "missing": ()})
            return index + 1, rows

        def run(rows: Any) -> Any:
            count = tf.shape(rows)[0]
            tf.while_loop(lambda index, _: index < count, body, [0, rows], parallel_iterations=1)

        width = sum(math.prod(variable.shape) for variable in pipeline.trainable)
        wide = pipeline.trainable[0].dtype == "float64"
        shape = tf.TensorSpec([None, width], "float64" if wide else "float32")
        pipeline.compiled_step = tf.function(
            run, input_signature=[shape], autograph=False, reduce_retracing=True
        )
    return pipeline.compiled_step


def _driven(pipeline: TrainingPipeline, training: ApplyGradientsSpec) -> Step:
    # Nothing here branches on a tensor in Python, and `fit` converts nothing either.
    return _graph(pipeline, autograph=False) if training.compiled else _observed_step(pipeline)


def _source(inputs: Inputs) -> Source:
    if inputs.source is None:
        message = "this loop needs a source of batches"
        raise TypeError(message)
    return inputs.source
