"""What a pipeline tells whoever watches it. Recorders implement it; no pipeline sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from harness.pipeline.pipeline import TrainingPipeline

__all__ = ["Observer", "Step", "Unobserved"]

Step = Callable[[Any], Any]
"""One train step: a batch ``(x, y)`` or ``(x, y, sample_weight)`` to Keras' logs."""


class Observer(Protocol):
    """Watches one training run."""

    def watch_step(self, step: Step, pipeline: TrainingPipeline) -> Step:
        """The step to run instead: the same, and recorded.

        The pipeline has its optimizer and its trainable variables by then.
        """
        ...

    def watch_callbacks(self, callbacks: list[Any]) -> list[Any]:
        """The callbacks to hand to Keras instead: the same, and observed."""
        ...

    def on_epoch_begin(self, epoch: int) -> None:
        """A loop that is not Keras' begins an epoch."""
        ...

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """A loop that is not Keras' ends an epoch."""
        ...

    def on_batch_begin(self, batch: int) -> None:
        """A loop in Python that is not Keras' begins a batch."""
        ...

    def on_batch_end(self) -> None:
        """A loop in Python that is not Keras' ends a batch."""
        ...


class Unobserved:
    """Watches nothing, for measuring what watching costs."""

    def watch_step(self, step: Step, pipeline: TrainingPipeline) -> Step:  # noqa: ARG002
        """The step itself."""
        return step

    def watch_callbacks(self, callbacks: list[Any]) -> list[Any]:
        """The callbacks themselves."""
        return callbacks

    def on_epoch_begin(self, epoch: int) -> None:
        """Nothing to do."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Nothing to do."""

    def on_batch_begin(self, batch: int) -> None:
        """Nothing to do."""

    def on_batch_end(self) -> None:
        """Nothing to do."""
