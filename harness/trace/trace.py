"""What really happened in one training run, as data that cannot change."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import HarnessUsageError, ShapeError
from harness.trace import figures
from harness.trace._record import (
    Record,
    assign,
    frozen_array,
    frozen_numbers,
    optional_whole,
    require_shape,
)
from harness.trace.environment import Environment
from harness.trace.epochs import EpochRecord
from harness.trace.events import Event
from harness.trace.examples import ExampleTable
from harness.trace.resources import ResourceRecord
from harness.trace.state import GradientTable, StateTable
from harness.trace.steps import StepTable
from harness.trace.stop import Stop


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trace(Record):
    """One training run: a row a step, a record an epoch, events, and why it ended.

    Attributes:
        pipeline: Canonical JSON of the specification that was run.
        steps: One row for each train-step call that got a batch.
        epochs: One record for each epoch that ended.
        resources: Time and memory.
        stop: Why training ended.
        environment: Where it ran.
        state: Variables around each step, where they were recorded.
        gradients: Gradients at each step, where they were recorded.
        events: Hook calls, warnings and decisions, in order of time.
        drawn_batches: Batches the source handed out in all, where that was counted.
        drawn_samples: Examples the source handed out in all, where that was counted.
        evaluation: What ``evaluate`` returned after training.
        predictions: What ``predict`` returned after training, in its own dtype; number formats
            that NumPy itself lacks, such as bfloat16, become float32, which holds them exactly.
        examples: The data itself, where it was recorded.

    Raises:
        HarnessUsageError: A value is of a kind that a trace cannot hold.
        ShapeError: A table has another number of rows than `steps`, or an epoch reaches beyond.
    """

    pipeline: str
    steps: StepTable
    epochs: tuple[EpochRecord, ...]
    resources: ResourceRecord
    stop: Stop
    environment: Environment
    state: StateTable | None = None
    gradients: GradientTable | None = None
    events: tuple[Event, ...] = ()
    drawn_batches: int | None = None
    drawn_samples: int | None = None
    evaluation: Mapping[str, float] | None = None
    predictions: NDArray[Any] | None = None
    examples: ExampleTable | None = None

    def __post_init__(self) -> None:
        """Freeze what is not frozen yet, and check that the tables fit together."""
        assign(
            self,
            epochs=tuple(self.epochs),
            events=tuple(self.events),
            drawn_batches=optional_whole("drawn_batches", self.drawn_batches),
            drawn_samples=optional_whole("drawn_samples", self.drawn_samples),
        )
        if self.evaluation is not None:
            assign(self, evaluation=frozen_numbers("evaluation", self.evaluation))
        if self.predictions is not None:
            assign(self, predictions=_frozen_predictions(self.predictions))
        steps = len(self.steps)
        if self.state is not None:
            require_shape("state.before", self.state.before, (steps, self.state.width))
        if self.gradients is not None:
            require_shape("gradients.raw", self.gradients.raw, (steps, self.gradients.width))
        for record in self.epochs:
            if record.stop_step > steps:
                message = (
                    f"stop_step of epoch {record.epoch} must be at most the {steps} steps of the "
                    f"step table, got {record.stop_step}."
                )
                raise ShapeError(message)

    @property
    def updates(self) -> int:
        """Number of steps that changed the weights.

        Raises:
            HarnessUsageError: It was not observed at every step.
        """
        updated = self.steps.updated
        if updated is None or (updated < 0).any():
            message = (
                "updates must be observed at every step to be counted, got a trace in which they "
                'were not. Add "updates" to the recording.'
            )
            raise HarnessUsageError(message)
        return int(updated.sum())

    def logs(self, name: str) -> tuple[float, ...]:
        """Return one entry of the epoch logs for each epoch, NaN where an epoch lacks it.

        Raises:
            HarnessUsageError: No epoch logged it.
        """
        keys = dict.fromkeys(key for record in self.epochs for key in record.logs)
        if name not in keys:
            known = ", ".join(keys) or "nothing"
            message = f"log must be one that an epoch has, got {name!r}. Logged were: {known}."
            raise HarnessUsageError(message)
        return tuple(record.logs.get(name, math.nan) for record in self.epochs)

    def figure(self, name: str) -> float:
        """Return one number that sums up the run, see `harness.trace.figure`."""
        return figures.figure(self, name)


def _frozen_predictions(predictions: NDArray[Any]) -> NDArray[Any]:
    values = np.asarray(predictions)
    if values.dtype.kind == "V" and values.dtype.names is None:
        values = values.astype(np.float32)
    if values.dtype.kind not in "biuf":
        message = (
            f"predictions must be real numbers, got {values.dtype}. "
            "Flatten several outputs into one array first."
        )
        raise HarnessUsageError(message)
    return frozen_array("predictions", values, dtype=values.dtype, rank=values.ndim)
