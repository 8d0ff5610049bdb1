"""The loop around `train_on_batch`, judged by what Keras itself says of each batch.

What `train_on_batch` and `test_on_batch` return is of the batch they were given: nobody resets
metrics between the calls, as nobody does in a loop written by hand. The logs of an epoch are their
means, each batch weighted by its size.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.pipeline.sources import Source
    from harness.spec.pipeline import PipelineSpec
    from harness.spec.training import TrainOnBatchSpec

__all__ = ["OnBatch"]


class OnBatch:
    """Trains one batch a call, and gathers the logs of an epoch."""

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
        self._limits = spec.validation
        weights = training.class_weight
        # Only where there are any: Keras refuses them beside sample weights.
        self._given = {} if weights is None else {"class_weight": dict(enumerate(weights))}
        self._means = _Means()

    def begin(self) -> None:
        """An epoch begins."""
        self._means = _Means()

    def step(self, batch: tuple[Any, ...]) -> Mapping[str, Any]:
        """Train on one batch; what Keras says of it."""
        logs = self._model.train_on_batch(*batch, **self._given, return_dict=True)
        return self._means.add(logs, len(batch[0]))

    def logs(self, epoch: int) -> dict[str, float]:
        """The logs of the epoch, with those of the validation where one is due."""
        logs = self._means.values()
        if self._limits is None or self._held_out is None:
            return logs
        if (epoch + 1) % self._limits.validation_freq == 0:
            tested = self._tested(self._held_out, self._limits.validation_steps)
            logs |= {f"val_{name}": value for name, value in tested.items()}
        return logs

    def _tested(self, held_out: Source, steps: int | None) -> dict[str, float]:
        means = _Means()
        for batch in itertools.islice(held_out.epoch(), steps):
            means.add(self._model.test_on_batch(*batch, return_dict=True), len(batch[0]))
        return means.values()


class _Means:
    """Means over batches of different sizes."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self._examples = 0

    def add(self, logs: Mapping[str, Any], examples: int) -> Mapping[str, Any]:
        for name, value in logs.items():
            self._sums[name] = self._sums.get(name, 0.0) + examples * float(value)
        self._examples += examples
        return logs

    def values(self) -> dict[str, float]:
        return {name: total / self._examples for name, total in self._sums.items()}
