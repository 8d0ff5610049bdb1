"""The pipeline: everything that decides a training run, as one frozen value."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.spec.base import Count, Spec
from harness.spec.callbacks import AnyCallback
from harness.spec.data import AfterSpec, AnyData, LinearRegressionSpec, ValidationSpec
from harness.spec.distribution import MirroredSpec
from harness.spec.losses import AnyLoss, PlainLossSpec
from harness.spec.metrics import AnyMetric
from harness.spec.model import AnyModel, MLPSpec
from harness.spec.optimizer import AnyOptimizer, SGDSpec
from harness.spec.training import AnyTraining, CompileSpec, FitSpec, PrecisionSpec

After = Literal["evaluate", "predict"]


class PipelineSpec(Spec):
    """Everything that decides a training run.

    Attributes:
        data: Examples, batches and the source that hands them over.
        validation: The held-out part; None trains on everything.
        model: The model.
        loss: One loss for every output.
        metrics: Metrics of every output.
        optimizer: Optimizer with schedule, clipping, accumulation, EMA and decay.
        precision: Dtype policy and loss scale.
        compile: Compile options.
        training: The loop and its budget.
        distribution: Devices that share each batch; None is one device and no strategy.
        callbacks: Callbacks in the order Keras gets them.
        then: What is run on the training data after the loop.
        after: How the data reach what is run then.
        seed: Seed of weights, shuffling and dropout.
    """

    data: AnyData = LinearRegressionSpec()
    validation: ValidationSpec | None = None
    model: AnyModel = MLPSpec()
    loss: AnyLoss = PlainLossSpec(kind="mean_squared_error")
    metrics: tuple[AnyMetric, ...] = ()
    optimizer: AnyOptimizer = SGDSpec()
    precision: PrecisionSpec = PrecisionSpec()
    compile: CompileSpec = CompileSpec()
    training: AnyTraining = FitSpec()
    distribution: MirroredSpec | None = None
    callbacks: tuple[AnyCallback, ...] = ()
    then: Annotated[tuple[After, ...], Field(max_length=2)] = ()
    after: AfterSpec = AfterSpec()
    seed: Count = 0
