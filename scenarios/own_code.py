# ruff: noqa: INP001 - no package: scenarios name it by its path from the repository's root
"""A metric and a loss of one's own, with the two slips that text 004 invites.

Both are what somebody writes who has read it; scenarios show what becomes of sample weights.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from typing import Any

THRESHOLD = 0.5


def plain_f1() -> Any:
    """F1 over all batches that takes sample weights and forgets them."""
    import keras
    from keras import ops

    class PlainF1(keras.metrics.Metric):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(name="own_f1")
            self.hits = self.add_weight(name="hits", initializer="zeros")
            self.decided = self.add_weight(name="decided", initializer="zeros")
            self.actual = self.add_weight(name="actual", initializer="zeros")

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # noqa: ARG002
            positive = ops.cast(y_pred >= THRESHOLD, self.dtype)
            truth = ops.cast(y_true, self.dtype)
            self.hits.assign_add(ops.sum(positive * truth))
            self.decided.assign_add(ops.sum(positive))
            self.actual.assign_add(ops.sum(truth))

        def result(self) -> Any:
            return ops.divide_no_nan(2.0 * self.hits, self.decided + self.actual)

    return PlainF1()


def mean_focal() -> Any:
    """Focal loss whose own mean leaves one number for the whole batch."""
    import keras
    from keras import ops

    class MeanFocal(keras.losses.Loss):  # type: ignore[misc]
        def call(self, y_true: Any, y_pred: Any) -> Any:
            likely = ops.clip(y_pred, 1e-7, 1.0 - 1e-7)
            return ops.mean(-0.25 * y_true * ops.square(1.0 - likely) * ops.log(likely))

    return MeanFocal(reduction="mean_with_sample_weight")


def ignoring_class(label: int) -> Any:
    """Keras' sparse crossentropy of probabilities, without the positions of one class.

    Args:
        label: The class.
    """
    import keras

    return keras.losses.SparseCategoricalCrossentropy(ignore_class=label)


def keeps_tensors(kilobytes: int) -> Any:
    """A callback that keeps a tensor of each epoch, as people keep predictions to plot later."""
    import keras
    import tensorflow as tf

    class TensorKeeper(keras.callbacks.Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.predictions: list[Any] = []

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
            self.predictions.append(tf.fill([kilobytes, 256], float(epoch)))

    return TensorKeeper()


_PLOTTED: list[Any] = []


def keeps_tensors_elsewhere(kilobytes: int) -> Any:
    """The same, in a list of the module: nobody can see who holds them, only that they stay."""
    import keras
    import tensorflow as tf

    class Plotter(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002
            _PLOTTED.clear()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
            _PLOTTED.append(tf.fill([kilobytes, 256], float(epoch)))

        def on_train_end(self, logs: Any = None) -> None:  # noqa: ARG002
            _PLOTTED.clear()

    return Plotter()


def grows_a_list(kilobytes: int) -> Any:
    """A callback that logs every batch into a list that nobody empties."""
    import keras
    import numpy as np

    class BatchLog(keras.callbacks.Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.rows: list[Any] = []

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
            self.rows.append(np.full(kilobytes * 128, float(batch)))

    return BatchLog()


def retraces(times: int) -> Any:
    """A callback whose graph takes a Python number, and so is traced for each new one."""
    import keras
    import tensorflow as tf

    @tf.function  # type: ignore[untyped-decorator]
    def scaled(value: Any, factor: float) -> Any:
        return value * factor

    class Retracer(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
            for index in range(times):
                scaled(tf.constant(1.0), epoch + index / times)

    return Retracer()


def keeps_numbers() -> Any:
    """What is no leak: one number an epoch, and buffers that are thrown away."""
    import keras
    import numpy as np
    import tensorflow as tf

    class Notes(keras.callbacks.Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.losses: list[float] = []
            self.buffer: list[Any] = []

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
            self.buffer.append((np.full(1 << 17, float(batch)), tf.fill([64, 256], 1.0)))

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
            self.losses.append((logs or {}).get("loss", 0.0))
            self.buffer.clear()

    return Notes()


def takes_memory(way: str, epoch: int, batch: int) -> Any:
    """A callback that runs out of memory at the end of one batch, in one of three ways.

    Args:
        way: ``exception``: TensorFlow says that it has none; ``abort``: a native library gives up;
            ``kill``: memory is taken until somebody ends the process.
        epoch: In this epoch.
        batch: At the end of this batch.
    """
    import keras
    import numpy as np
    import tensorflow as tf

    class Taker(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
            self.epoch = epoch

        def on_train_batch_end(self, index: int, logs: Any = None) -> None:  # noqa: ARG002
            if (self.epoch, index) != (epoch, batch):
                return
            if way == "exception":
                tf.zeros([1 << 20, 1 << 24])
            elif way == "abort":
                _new(1 << 60)
            kept = []
            while way == "kill":
                # Ones: pages that are never written never become resident.
                kept.append(np.ones(1 << 20))

    return Taker()


def _new(size: int) -> None:
    """C++'s own allocation, which throws ``std::bad_alloc``, which nobody catches."""
    library = ctypes.util.find_library("stdc++") or ctypes.util.find_library("c++")
    new = ctypes.CDLL(library)._Znwm  # noqa: SLF001 - its name
    new.argtypes, new.restype = [ctypes.c_size_t], ctypes.c_void_p
    new(size)
