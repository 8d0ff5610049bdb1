"""Faults in which data is trained and validated on, and in what is kept in memory."""

from __future__ import annotations

from itertools import count
from typing import Any, Final

import numpy as np

from tests.detection.faults.patching import Fault, both, rewrite, wrap
from tests.detection.faults.places import (
    ARRAYS,
    CALLBACK_LIST,
    CALLBACKS,
    EPOCH,
    TF_EPOCH,
    TF_TRAINER,
    TRAINER,
)


def _silent(_: Any) -> Any:
    return lambda self: None  # noqa: ARG005 - Keras' signature


def _hoarding(nbytes: int) -> Any:
    """Whoever is called keeps so much memory each time, for as long as the fault lasts."""

    def make(original: Any) -> Any:
        hoard: list[Any] = []

        def call(*arguments: Any, **keywords: Any) -> Any:
            hoard.append(np.ones(nbytes, np.int8))
            return original(*arguments, **keywords)

        return call

    return make


def _keeping_tensors() -> Any:
    """Whoever is called keeps a tensor of 128 KiB each time: far less than memory alone shows."""

    def make(original: Any) -> Any:
        kept: list[Any] = []

        def call(*arguments: Any, **keywords: Any) -> Any:
            import tensorflow as tf

            kept.append(tf.zeros([128, 256]))
            return original(*arguments, **keywords)

        return call

    return make


def _tracing() -> Any:
    """Whoever is called traces a function for a new Python number each time."""

    def make(original: Any) -> Any:
        numbers = count()
        traced: list[Any] = []

        def call(*arguments: Any, **keywords: Any) -> Any:
            import tensorflow as tf

            if not traced:
                traced.append(tf.function(tf.constant))
            traced[0](next(numbers))
            return original(*arguments, **keywords)

        return call

    return make


_DATASET: Final = "dataset = self.data_adapter.get_tf_dataset()"
_RANGE: Final = "range(0, steps_per_epoch, self.steps_per_execution)"

EXHAUSTION: Final = (
    Fault(
        "last_batch_dropped",
        "data_exhaustion",
        "the last batch of an epoch is left out",
        rewrite(
            f"{EPOCH}._enumerate_iterator",
            (_RANGE, "range(0, max(steps_per_epoch - 1, 1), self.steps_per_execution)"),
        ),
    ),
    Fault(
        "first_batch_replayed",
        "data_exhaustion",
        "each epoch trains on its first batch twice",
        rewrite(
            f"{TF_EPOCH}.__init__",
            (_DATASET, f"{_DATASET}; dataset = dataset.take(1).concatenate(dataset)"),
        ),
    ),
    Fault(
        "last_batch_replayed",
        "data_exhaustion",
        "the batch before the last one is trained on in its place",
        rewrite(
            f"{TF_EPOCH}.__init__",
            (
                _DATASET,
                (
                    f"{_DATASET}; n = max(int(dataset.cardinality()) - 1, 1); "
                    "dataset = dataset.take(n).concatenate(dataset.skip(n - 1))"
                ),
            ),
        ),
    ),
    Fault(
        "partial_batch_dropped",
        "data_exhaustion",
        "of arrays only whole batches are trained on",
        both(
            rewrite(f"{ARRAYS}.get_tf_dataset", ("if self._partial_batch_size:", "if False:")),
            rewrite(
                f"{ARRAYS}.__init__",
                ("math.ceil(num_samples / batch_size)", "max(num_samples // batch_size, 1)"),
            ),
        ),
    ),
    Fault(
        "not_shuffled",
        "data_exhaustion",
        "arrays are not shuffled although it was asked for",
        rewrite(f"{ARRAYS}.get_tf_dataset", ("shuffle = self._shuffle", "shuffle = False")),
    ),
    Fault(
        "always_shuffled",
        "data_exhaustion",
        "arrays are shuffled although it was not asked for",
        rewrite(f"{ARRAYS}.get_tf_dataset", ("shuffle = self._shuffle", "shuffle = True")),
    ),
    Fault(
        "shuffled_with_replacement",
        "data_exhaustion",
        "shuffling draws some samples twice and others never",
        rewrite(
            f"{ARRAYS}.get_tf_dataset",
            (
                "tf.random.shuffle(indices)",
                "tf.random.uniform(tf.shape(indices), maxval=num_samples, dtype=tf.int64)",
            ),
        ),
    ),
    Fault(
        "order_reversed",
        "data_exhaustion",
        "arrays are read from their end",
        rewrite(
            f"{ARRAYS}.get_tf_dataset",
            (
                "tf.range(num_samples, dtype=tf.int64)",
                "tf.reverse(tf.range(num_samples, dtype=tf.int64), [0])",
            ),
        ),
    ),
    Fault(
        "epoch_too_few",
        "data_exhaustion",
        "the last epoch is left out",
        rewrite(
            f"{TF_TRAINER}.fit",
            ("range(initial_epoch, epochs)", "range(initial_epoch, max(epochs - 1, 1))"),
        ),
    ),
    Fault(
        "epoch_too_many",
        "data_exhaustion",
        "an epoch more than asked for is trained",
        rewrite(
            f"{TF_TRAINER}.fit",
            ("range(initial_epoch, epochs)", "range(initial_epoch, epochs + 1)"),
        ),
    ),
    Fault(
        "initial_epoch_ignored",
        "data_exhaustion",
        "training begins at epoch 0 wherever it was told to",
        rewrite(f"{TF_TRAINER}.fit", ("range(initial_epoch, epochs)", "range(epochs)")),
    ),
    Fault(
        "validation_on_first_batch",
        "data_exhaustion",
        "only the first batch is validated on",
        rewrite(
            f"{TF_TRAINER}.fit",
            ("steps_per_epoch=validation_steps", "steps_per_epoch=validation_steps or 1"),
        ),
    ),
    Fault(
        "validation_every_epoch",
        "data_exhaustion",
        "validation_freq is ignored",
        rewrite(f"{TRAINER}._should_eval", ("epoch % validation_freq == 0", "True")),
    ),
    Fault(
        "exhaustion_not_reported",
        "data_exhaustion",
        "training ends for lack of data without a word",
        wrap(f"{EPOCH}._interrupted_warning", _silent),
    ),
    Fault(
        "pass_starts_over",
        "data_exhaustion",
        "with steps_per_epoch every epoch begins with the same batches",
        rewrite(
            f"{EPOCH}._enumerate_iterator",
            ("self._current_iterator is None or self.steps_per_epoch is None", "True"),
        ),
    ),
    Fault(
        "class_weight_of_zero_lost",
        "data_exhaustion",
        "a class weight of 0 counts as 1",
        rewrite(
            "keras.src.trainers.data_adapters.data_adapter_utils:class_weight_to_sample_weights",
            ("class_weight.get(int(y_numpy[i]), 1.0)", "class_weight.get(int(y_numpy[i])) or 1.0"),
        ),
    ),
)

MEMORY: Final = (
    Fault(
        "batches_kept",
        "memory_pressure",
        "each batch leaves half a megabyte behind",
        wrap(f"{CALLBACK_LIST}.on_train_batch_end", _hoarding(2**19)),
    ),
    Fault(
        "history_kept",
        "memory_pressure",
        "each epoch leaves four megabytes in the history",
        wrap(f"{CALLBACKS}.history:History.on_epoch_end", _hoarding(2**22)),
    ),
    Fault(
        "metrics_kept",
        "memory_pressure",
        "each reset of the metrics leaves two megabytes behind",
        wrap(f"{TRAINER}.reset_metrics", _hoarding(2**21)),
    ),
    Fault(
        "results_kept",
        "memory_pressure",
        "each reset of the metrics leaves a tensor of 128 KiB behind",
        wrap(f"{TRAINER}.reset_metrics", _keeping_tensors()),
    ),
    Fault(
        "traced_in_each_epoch",
        "memory_pressure",
        "each reset of the metrics traces a graph that stays",
        wrap(f"{TRAINER}.reset_metrics", _tracing()),
    ),
    Fault(
        "out_of_memory_swallowed",
        "memory_pressure",
        "running out of memory looks like running out of data",
        rewrite(
            f"{EPOCH}.catch_stop_iteration",
            ("except StopIteration:", "except (StopIteration, MemoryError):"),
        ),
    ),
)
