"""Healthy traces without Keras.

`fit_trace` trains the built-in MLP in NumPy, `apply_trace` drives an optimizer with given
gradients. Both record everything a check can ask for; what the oracles leave to chance (order of
the examples, non-finite gradients) can be given.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from harness.invariants.reference import penalty_on_kernels
from harness.oracles.arrays import Float64
from harness.oracles.counting import plan_run
from harness.oracles.dense import DenseLayer, loss_and_gradients, parameters_of, with_parameters
from harness.oracles.update import (
    finalized_parameters,
    initial_state,
)
from harness.spec.model import MLPSpec
from harness.spec.optimizer import ImportedOptimizerSpec, MultiOptimizerSpec
from harness.spec.paths import replaced
from harness.spec.pipeline import PipelineSpec
from harness.spec.training import ApplyGradientsSpec, FitSpec
from harness.trace import (
    EpochRecord,
    Event,
    ExampleTable,
    Stop,
    StopReason,
    Trace,
    VariableInfo,
)
from tests.invariants.recorder import Recorder, rule_for

MEBIBYTE = 2**20

BASE: Mapping[str, Any] = {
    "data": {"kind": "linear_regression", "examples": 10, "features": 2, "batch_size": 4},
    "model": {"kind": "mlp", "units": [3, 1], "activation": "tanh"},
    "optimizer": {"kind": "sgd", "learning_rate": 0.125, "momentum": 0.5},
    "precision": {"policy": "float64"},
    "training": {"kind": "fit", "epochs": 2},
}
"""Ten examples in batches of 4, 4 and 2, two epochs, gradient descent with momentum."""


def pipeline(**changes: Any) -> PipelineSpec:
    """Return the base pipeline with the value under each dotted key changed; ``__`` is a dot."""
    keys = {key.replace("__", "."): value for key, value in changes.items()}
    return PipelineSpec.model_validate(replaced(BASE, keys))


def fit_trace(
    spec: PipelineSpec,
    *,
    rates: Mapping[int, float] | None = None,
    order: Iterable[Sequence[int]] | None = None,
    spoiled: Mapping[int, float] | None = None,
    logs: Sequence[Mapping[str, float]] = (),
) -> Trace:
    """Return a healthy run of the MLP.

    Args:
        spec: The pipeline; its model must be an MLP of tanh and linear layers.
        rates: Learning rate by epoch where it is not the optimizer's own number.
        order: Examples of each batch, in place of the plain order.
        spoiled: Value that one element of the gradient takes, by step.
        logs: What else is logged, by epoch.
    """
    model, training = spec.model, spec.training
    assert isinstance(model, MLPSpec)
    assert isinstance(training, FitSpec)
    examples = examples_for(spec)
    layers = layers_for(model, examples)
    recorder, initial = _recorder(spec, model, layers)
    batches: Iterator[Sequence[int]]
    batches = iter(order) if order is not None else _plain_order(len(examples.inputs), spec)
    plan = plan_run(
        _sizes(spec),
        epochs=training.epochs,
        initial_epoch=training.initial_epoch,
        steps_per_epoch=training.steps_per_epoch,
        one_shot=spec.data.source == "generator",
        infinite=spec.data.repeat == 0,
    )
    epochs: list[EpochRecord] = []
    for epoch in plan.epochs:
        first, rate = len(recorder.rows), _rate(spec, epoch.epoch, rates)
        for batch in range(epoch.steps):
            index = list(next(batches))
            loss, gradients = differentiate(recorder, layers, examples, index, spec)
            if spoiled and len(recorder.rows) in spoiled:
                gradients[0] = gradients[0].copy()
                gradients[0].flat[0] = spoiled[len(recorder.rows)]
            recorder.step(
                gradients,
                rate,
                epoch=epoch.epoch,
                batch=batch,
                batch_size=len(index),
                sample_ids=index,
                loss=loss,
            )
        own = logs[len(epochs)] if logs else {}
        epochs.append(_epoch(recorder, epoch.epoch, first, rate, own))
    final = recorder.row()
    parameters = finalized_parameters(recorder.rule, recorder.state, recorder.parameters)
    changed = np.concatenate([np.ravel(value) for value in parameters])
    final[: changed.size] = changed
    exhausted = plan.exhausted_epoch is not None
    return recorder.trace(
        spec,
        initial=initial,
        final=final,
        epochs=tuple(epochs),
        examples=examples,
        drawn_batches=plan.steps,
        events=_hooks(epochs, spec) + ((ran_out_warning(),) if exhausted else ()),
        stop=Stop(
            reason=StopReason.DATA_EXHAUSTED if exhausted else StopReason.COMPLETED,
            evidence=f"{plan.steps} of {plan.planned_steps} steps",
            planned_steps=plan.planned_steps,
        ),
    )


def apply_trace(
    spec: PipelineSpec, gradients: Sequence[Sequence[Float64 | None]], *, rate: float = 0.125
) -> Trace:
    """Return what an optimizer does with given gradients, one row of arrays a step."""
    shapes = [(2,), (3,)]
    infos = tuple(
        VariableInfo(path=f"variable_{number}", shape=shape, dtype="float64", role="trainable")
        for number, shape in enumerate(shapes)
    )
    parameters = tuple(np.ones(shape) for shape in shapes)
    rule = rule_for(spec)
    recorder = Recorder(rule, infos, parameters, initial_state(rule, parameters))
    initial = recorder.row()
    for number, row in enumerate(gradients):
        recorder.step(row, rate, epoch=0, batch=number, batch_size=0, loss=np.nan)
    missing = tuple(
        Event(kind="no_gradient", name=info.path, step=step)
        for step, row in enumerate(gradients)
        for info, gradient in zip(infos, row, strict=True)
        if gradient is None
    )
    return recorder.trace(
        spec,
        initial=initial,
        final=recorder.row(),
        epochs=(),
        events=missing,
        stop=Stop(reason=StopReason.COMPLETED, evidence=""),
    )


def apply_pipeline(steps: int = 4, **changes: Any) -> PipelineSpec:
    """Return a pipeline that drives an optimizer with `steps` rows of gradients."""
    spec = pipeline(
        model={"kind": "variables"},
        training={"kind": "apply_gradients", "gradients": [[0.0] * 5] * steps},
        **changes,
    )
    assert isinstance(spec.training, ApplyGradientsSpec)
    return spec


def examples_for(spec: PipelineSpec) -> ExampleTable:
    """Return random examples of the sizes that the pipeline asks for."""
    data = spec.data.model_dump()
    model = spec.model
    assert isinstance(model, MLPSpec)
    random = np.random.default_rng(0)
    inputs = random.standard_normal((data["examples"], data["features"]))
    targets = random.standard_normal((data["examples"], model.units[-1]))
    return ExampleTable(inputs=inputs, targets=targets)


def layers_for(model: MLPSpec, examples: ExampleTable) -> tuple[DenseLayer, ...]:
    """Return random layers that fit the examples."""
    random = np.random.default_rng(1)
    widths = (examples.inputs.shape[1], *model.units)
    return tuple(
        DenseLayer(
            random.standard_normal((width, units)) / 2.0,
            random.standard_normal(units) / 2.0 if model.use_bias else None,
            model.output_activation if number == len(model.units) - 1 else model.activation,
            penalty_on_kernels(model),
        )
        for number, (width, units) in enumerate(zip(widths, model.units, strict=False))
    )


def ran_out_warning() -> Event:
    """Return the event that Keras' exhaustion warning leaves."""
    message = "Your input ran out of data; interrupting training."
    return Event(kind="warning", name="UserWarning", detail={"message": message})


def _sizes(spec: PipelineSpec) -> tuple[int, ...]:
    return tuple(len(batch) for batch in _one_pass(spec.data.model_dump()["examples"], spec))


def _one_pass(count: int, spec: PipelineSpec) -> list[list[int]]:
    """Return the batches of one pass; a dataset repeats examples, other sources batches."""
    data = spec.data
    size, repeat = data.batch_size, data.repeat or 1
    examples, copies = list(range(count)), repeat
    if data.source.startswith("dataset"):
        examples, copies = examples * (repeat if data.repeat else size), 1
    batches = [examples[start : start + size] for start in range(0, len(examples), size)]
    if data.drop_remainder:
        batches = [batch for batch in batches if len(batch) == size]
    return batches * copies


def _plain_order(count: int, spec: PipelineSpec) -> Iterator[list[int]]:
    while True:
        yield from _one_pass(count, spec)


def _rate(spec: PipelineSpec, epoch: int, rates: Mapping[int, float] | None) -> float:
    if rates is not None:
        return rates[epoch]
    assert not isinstance(spec.optimizer, ImportedOptimizerSpec | MultiOptimizerSpec)
    assert isinstance(spec.optimizer.learning_rate, float)
    return spec.optimizer.learning_rate


def _recorder(
    spec: PipelineSpec, model: MLPSpec, layers: Sequence[DenseLayer]
) -> tuple[Recorder, Float64]:
    rule = rule_for(spec)
    infos: list[VariableInfo] = []
    frozen: list[tuple[VariableInfo, Float64]] = []
    trained: list[Float64] = []
    for number, layer in enumerate(layers):
        for name, value in (("kernel", layer.kernel), ("bias", layer.bias)):
            if value is None:
                continue
            free = number not in model.frozen
            info = VariableInfo(
                path=f"dense_{number}/{name}",
                shape=value.shape,
                dtype="float64",
                role="trainable" if free else "non_trainable",
            )
            if free:
                infos.append(info)
                trained.append(value)
            else:
                frozen.append((info, value))
    recorder = Recorder(
        rule, tuple(infos), tuple(trained), initial_state(rule, trained), tuple(frozen)
    )
    return recorder, recorder.row()


@np.errstate(all="ignore")
def differentiate(
    recorder: Recorder,
    layers: Sequence[DenseLayer],
    examples: ExampleTable,
    index: Sequence[int],
    spec: PipelineSpec,
) -> tuple[float, list[Float64]]:
    """Return loss and gradients of one batch."""
    assert isinstance(spec.model, MLPSpec)
    frozen = spec.model.frozen
    trained = iter(recorder.parameters)
    free = [number not in frozen for number, layer in enumerate(layers) for _ in _names(layer)]
    current = [
        next(trained) if own else value
        for own, value in zip(free, parameters_of(layers), strict=True)
    ]
    found = loss_and_gradients(
        with_parameters(layers, current),
        examples.inputs[list(index)],
        examples.targets[list(index)],
        "mean_squared_error",
        reduction=spec.loss.model_dump().get("reduction", "sum_over_batch_size"),
    )
    return found.loss, [grad for own, grad in zip(free, found.gradients, strict=True) if own]


def _names(layer: DenseLayer) -> tuple[str, ...]:
    return ("kernel",) if layer.bias is None else ("kernel", "bias")


def _epoch(
    recorder: Recorder, epoch: int, first: int, rate: float, logs: Mapping[str, float]
) -> EpochRecord:
    rows = recorder.rows[first:]
    total = sum(row["batch_size"] for row in rows)
    loss = sum(row["loss"] * row["batch_size"] for row in rows) / total if total else None
    return EpochRecord(
        epoch=epoch,
        steps=len(rows),
        logs=({} if loss is None else {"loss": loss}) | dict(logs),
        first_step=first,
        stop_step=len(recorder.rows),
        rss_bytes=100 * MEBIBYTE + (epoch % 2) * 4096,
        drawn_batches=len(rows),
        learning_rate=rate,
    )


def _hooks(epochs: Sequence[EpochRecord], spec: PipelineSpec) -> tuple[Event, ...]:
    size = spec.compile.steps_per_execution
    events = [hook("on_train_begin")]
    for record in epochs:
        events.append(hook("on_epoch_begin", record.epoch))
        for start in range(0, record.steps, size):
            last = start + size - 1
            events.append(hook("on_train_batch_begin", record.epoch, start))
            events.append(hook("on_train_batch_end", record.epoch, last))
        events.append(hook("on_epoch_end", record.epoch))
    return (*events, hook("on_train_end"))


def hook(name: str, epoch: int | None = None, batch: int | None = None) -> Event:
    """Return the event of one hook call."""
    detail = {} if batch is None else {"batch": batch}
    return Event(kind="hook", name=name, epoch=epoch, detail=detail)
