# ruff: noqa: INP001 - no package: scenarios name it by its path from the repository's root
"""A metric and a loss of one's own, with the two slips that text 004 invites.

Both are what somebody writes who has read it; scenarios show what becomes of sample weights.
"""

from __future__ import annotations

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
