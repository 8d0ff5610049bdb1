"""Callbacks that show how a training goes: the progress bar and TensorBoard."""

from __future__ import annotations

import io
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.pipeline.backend import import_keras, import_tensorflow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from harness.spec.callbacks import TensorBoardSpec

__all__ = ["OWN_SCALAR", "SUMMARIES", "Shown", "progress_bar", "tensorboard"]

SUMMARIES = "summaries"
"""Where a TensorBoard callback writes, inside the folder of the run."""

OWN_SCALAR = "own"
"""Tag of the scalar that is written at no given step."""


class Shown(NamedTuple):
    """What a progress bar has printed.

    Attributes:
        epoch: The epoch that was running.
        batch: At the end of this batch; None is at the end of the epoch.
        text: What it printed.
        logs: The logs that it was given.
    """

    epoch: int
    batch: int | None
    text: str
    logs: Mapping[str, float]


def progress_bar() -> Any:
    """Keras' progress bar; what it prints is kept in its list ``shown`` instead of printed."""
    keras = import_keras()

    class ProgressBar(keras.callbacks.ProgbarLogger):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.shown: list[Shown] = []
            self._epoch = 0

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self._epoch = epoch
            with redirect_stdout(io.StringIO()):
                super().on_epoch_begin(epoch, logs)

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if self.progbar is not None:
                # Whether a batch is shown must not depend on how fast it was.
                self.progbar.interval = 0
            with self._keeping(int(batch), logs):
                super().on_train_batch_end(batch, logs)

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            with self._keeping(None, logs):
                super().on_epoch_end(epoch, logs)

        @contextmanager
        def _keeping(self, batch: int | None, logs: Any) -> Iterator[None]:
            text = io.StringIO()
            with redirect_stdout(text):
                yield
            given = {name: float(value) for name, value in (logs or {}).items()}
            self.shown.append(Shown(self._epoch, batch, text.getvalue(), given))

    return ProgressBar()


def tensorboard(spec: TensorBoardSpec, folder: Path) -> Any:
    """Keras' TensorBoard callback, without the graph."""
    keras, tf = import_keras(), import_tensorflow()

    class OwnScalar(keras.callbacks.TensorBoard):  # type: ignore[misc, name-defined]
        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            super().on_train_batch_begin(batch, logs)
            tf.summary.scalar(OWN_SCALAR, float(batch))

    made = OwnScalar if spec.own_scalar else keras.callbacks.TensorBoard
    return made(
        str(folder / SUMMARIES),
        histogram_freq=spec.histogram_freq,
        update_freq=spec.update_freq,
        write_graph=False,
    )
