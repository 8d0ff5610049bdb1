"""Faults in what converges and repeats, in replicas, and in models as a whole."""

from __future__ import annotations

from typing import Any, Final

from tests.detection.faults.patching import Fault, rewrite, wrap
from tests.detection.faults.places import (
    CALLBACK_LIST,
    LOSS,
    OPTIMIZER,
    OPTIMIZERS,
    TF_OPTIMIZER,
    TF_TRAINER,
)


def _noisy(update: Any) -> Any:
    """Gradients up to a ten thousandth off, by how much the clock's microseconds decide."""

    def noisy(self: Any, gradients: Any, variables: Any, rate: Any) -> None:
        import tensorflow as tf

        # A fraction of a millisecond: two runs would have to begin all their steps at the same
        # microsecond to be alike, where fractions of a second could round to the same float.
        off = 1e-4 * (1000.0 * tf.timestamp() % 1.0)
        shaken = [
            g + tf.cast(off, g.dtype) * g if isinstance(g, tf.Tensor) else g for g in gradients
        ]
        update(self, shaken, variables, rate)

    return noisy


def _smaller_with_every_fit(on_train_begin: Any) -> Any:
    fits = 0

    def begin(self: Any, logs: Any = None) -> None:
        nonlocal fits
        for variable in self.model.trainable_variables:
            variable.assign(variable * 0.999**fits)
        fits += 1
        on_train_begin(self, logs)

    return begin


_SEED: Final = "keras.utils:set_random_seed"
_SEEDED: Final = "tf.random.set_seed({})\n    if False:"

CONVERGENCE: Final = (
    Fault(
        "gradient_halved",
        "convergence",
        "SGD takes half of its step",
        wrap(
            f"{OPTIMIZERS}.sgd:SGD.update_step",
            lambda step: lambda self, g, v, rate: step(self, g, v, 0.5 * rate),
        ),
    ),
    Fault(
        "gradient_doubled",
        "convergence",
        "SGD takes twice its step",
        wrap(
            f"{OPTIMIZERS}.sgd:SGD.update_step",
            lambda step: lambda self, g, v, rate: step(self, g, v, 2.0 * rate),
        ),
    ),
    Fault(
        "step_uphill",
        "convergence",
        "SGD goes up where it should go down",
        wrap(
            f"{OPTIMIZERS}.sgd:SGD.update_step",
            lambda step: lambda self, g, v, rate: step(self, g, v, -rate),
        ),
    ),
    Fault(
        "step_noisy",
        "convergence",
        "each gradient carries noise",
        wrap(
            f"{OPTIMIZERS}.sgd:SGD.update_step",
            lambda step: lambda self, g, v, rate: step(self, g + 0.1 * (v - v + 1), v, rate),
        ),
    ),
    Fault(
        "step_limited",
        "convergence",
        "no step is larger than a thousandth",
        rewrite(
            f"{OPTIMIZERS}.sgd:SGD.update_step",
            (
                "self.assign_sub(variable, ops.multiply(gradient, learning_rate))",
                "self.assign_sub(variable, ops.clip(gradient * learning_rate, -0.001, 0.001))",
            ),
        ),
    ),
)

DETERMINISM: Final = (
    Fault(
        "seed_ignored",
        "determinism",
        "set_random_seed seeds the backend with a number of its own",
        rewrite(_SEED, ("if tf.available:", _SEEDED.format(7))),
    ),
    Fault(
        "backend_unseeded",
        "determinism",
        "set_random_seed takes the seed away from the backend",
        rewrite(_SEED, ("if tf.available:", _SEEDED.format(None))),
    ),
    Fault(
        "noise_in_gradients",
        "determinism",
        "gradients differ in their last digits from run to run",
        wrap(f"{TF_OPTIMIZER}._backend_update_step", _noisy),
    ),
    Fault(
        "initial_weights_unseeded",
        "determinism",
        "weights start anew in every run",
        rewrite(
            "keras.src.backend.tensorflow.random:draw_seed",
            (
                "if isinstance(seed, SeedGenerator):",
                (
                    "import time; return convert_to_tensor("
                    "[time.time_ns() % 2**30, 1], dtype=random_seed_dtype())\n"
                    "    if isinstance(seed, SeedGenerator):"
                ),
            ),
        ),
    ),
    Fault(
        "fits_leave_a_mark",
        "determinism",
        "weights start a little smaller in every further fit of a process",
        wrap(f"{CALLBACK_LIST}.on_train_begin", _smaller_with_every_fit),
    ),
)

DISTRIBUTION: Final = (
    Fault(
        "loss_not_shared_out",
        "distribution",
        "each replica takes the whole loss, so that gradients add up",
        rewrite(f"{LOSS}:scale_loss_for_distribution", ("1.0 / num_replicas", "1.0")),
    ),
    Fault(
        "gradients_not_reduced",
        "distribution",
        "replicas keep their own gradients",
        wrap(f"{TF_OPTIMIZER}._all_reduce_sum_gradients", lambda _: lambda self, pairs: pairs),  # noqa: ARG005 - Keras' signature
    ),
    Fault(
        "reported_loss_not_undone",
        "distribution",
        "the reported loss is divided by the number of replicas",
        rewrite(
            f"{LOSS}:unscale_loss_for_distribution", ("ops.cast(num_replicas, value.dtype)", "1.0")
        ),
    ),
    Fault(
        "normalised_by_share",
        "distribution",
        "a synchronized batch normalisation normalises each share of a batch by itself",
        rewrite(
            "keras.src.backend.tensorflow.nn:moments",
            ("_compute_moments_sync(x, axes, keepdims)", "_compute_moments(x, axes, keepdims)"),
        ),
    ),
    Fault(
        "predictions_of_replicas_interleaved",
        "distribution",
        "predict puts the shares of the replicas together in the wrong order",
        rewrite(
            "keras.src.backend.tensorflow.trainer:concat",
            ("tf.concat(tensors,", "tf.concat(tensors[::-1],"),
        ),
    ),
)

_NORM: Final = "keras.src.layers.normalization.batch_normalization:BatchNormalization.call"

PIPELINE: Final = (
    Fault(
        "dropout_in_evaluation",
        "pipeline",
        "dropout is active in evaluation",
        rewrite("keras.src.layers.regularization.dropout:Dropout.call", ("if training and", "if")),
    ),
    Fault(
        "dropout_never",
        "pipeline",
        "dropout drops nothing",
        rewrite(
            "keras.src.layers.regularization.dropout:Dropout.call",
            ("if training and", "if False and"),
        ),
    ),
    Fault(
        "batch_norm_momentum_swapped",
        "pipeline",
        "batch normalisation forgets at the rate at which it should remember",
        rewrite(
            _NORM,
            (
                "moving_mean * self.momentum + mean * (1.0 - self.momentum)",
                "moving_mean * (1.0 - self.momentum) + mean * self.momentum",
            ),
        ),
    ),
    Fault(
        "batch_norm_of_the_batch",
        "pipeline",
        "batch normalisation uses the batch's own statistics in evaluation",
        rewrite(
            _NORM,
            ("mean = moving_mean\n", "mean = self._moments(inputs, mask)[0]\n"),
        ),
    ),
    Fault(
        "predict_last_batch_lost",
        "pipeline",
        "predict leaves out its last batch",
        rewrite(
            f"{TF_TRAINER}.predict",
            (
                "callbacks.on_predict_end()",
                "callbacks.on_predict_end(); outputs = outputs[:-1] or outputs",
            ),
        ),
    ),
    Fault(
        "evaluate_first_batch_only",
        "pipeline",
        "evaluate looks at its first batch only",
        rewrite(
            f"{TF_TRAINER}.evaluate",
            (
                "callbacks.on_test_batch_end(end_step, logs)",
                "callbacks.on_test_batch_end(end_step, logs); break",
            ),
        ),
    ),
    Fault(
        "saved_without_slots",
        "pipeline",
        "a saved optimizer has lost its slots",
        rewrite(
            f"{OPTIMIZER}.save_own_variables", ("variable.numpy()", "variable.numpy() * (i < 2)")
        ),
    ),
)
