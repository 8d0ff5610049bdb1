"""The loop around `train_on_batch`, judged by what Keras itself says of each batch.

What `train_on_batch` and `test_on_batch` return is of the batch they were given: nobody resets
metrics between the calls, as nobody does in a loop written by hand. The logs of an epoch are their
means, each batch weighted by its size.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from harness.pipeline.returned import by_name, return_dict
from harness.spec.training import given_class_weights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.pipeline.sources import Source
    from harness.spec.pipeline import PipelineSpec
    from harness.spec.training import TrainOnBatchSpec

__all__ = ["Means", "OnBatch"]


class OnBatch:
    """Trains one batch a call, and validates between the epochs."""

    def __init__(
        self,
        model: Any,
        training: TrainOnBatchSpec,
        spec: PipelineSpec,
        validation: Source | None,
    ) -> None:
        """Nothing is trained yet.

        Args:
            model: Compiled.
            training: Has the weights of the classes.
            spec: Says when and how long to validate.
            validation: The held-out part, where there is one.
        """
        self._model, self._held_out = model, validation
        self._spec, self._limits = spec, spec.validation
        weights = given_class_weights(training)
        # Only where there are any: Keras refuses them beside sample weights.
        self._given = {} if weights is None else {"class_weight": weights}

    def step(self, batch: tuple[Any, ...]) -> Mapping[str, Any]:
        """Train on one batch; what Keras says of it."""
        returned = self._model.train_on_batch(
            *batch, **self._given, return_dict=return_dict(self._spec)
        )
        return by_name(returned, self._spec)

    def validate(self, epoch: int) -> dict[str, float]:
        """The logs of the validation after an epoch, none where none is due."""
        if self._limits is None or self._held_out is None:
            return {}
        if not self._limits.due_after(epoch):
            return {}
        means = Means()
        for batch in itertools.islice(self._held_out.epoch(), self._limits.validation_steps):
            returned = self._model.test_on_batch(*batch, return_dict=return_dict(self._spec))
            means.add(by_name(returned, self._spec), len(batch[0]))
        return {f"val_{name}": value for name, value in means.values().items()}


class Means:
    """Means of logs over batches, each weighted by its size.

    Attributes:
        batches: How many were added.
    """

    def __init__(self) -> None:
        """Nothing was added."""
        self.batches = 0
        self._sums: dict[str, float] = {}
        self._examples = 0

    def add(self, logs: Mapping[str, Any], examples: int) -> None:
        """Count one more batch."""
        for name, value in logs.items():
            self._sums[name] = self._sums.get(name, 0.0) + examples * float(value)
        self._examples += examples
        self.batches += 1

    def values(self) -> dict[str, float]:
        """The mean of each log so far, none without batches."""
        return {name: total / self._examples for name, total in self._sums.items()}
