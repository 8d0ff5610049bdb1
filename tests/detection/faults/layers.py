"""Faults in what stands between the layers with weights, and in what layers remember."""

from __future__ import annotations

import functools
from typing import Any, Final

from tests.detection.faults.patching import Fault, rewrite, wrap
from tests.detection.faults.places import COMPILED, OPTIMIZERS

_NORMS: Final = "keras.src.layers.normalization"
_NOISE: Final = "keras.src.layers.regularization"
_BATCH: Final = f"{_NORMS}.batch_normalization:BatchNormalization.call"


def _not_scaled(call: Any) -> Any:
    def smaller(self: Any, inputs: Any, training: bool = False) -> Any:  # noqa: FBT001, FBT002 - Keras' signature
        outputs = call(self, inputs, training=training)
        return outputs * (1.0 - self.rate) if training else outputs

    return smaller


def _shifted(call: Any) -> Any:
    def moved(self: Any, inputs: Any, training: bool = False) -> Any:  # noqa: FBT001, FBT002 - Keras' signature
        outputs = call(self, inputs, training=training)
        return outputs + 0.001 if training else outputs

    return moved


def _smaller_epsilon(make: Any) -> Any:
    @functools.wraps(make)
    def made(self: Any, *arguments: Any, **keywords: Any) -> None:
        make(self, *arguments, **({"epsilon": 1e-8} | keywords))

    return made


LAYERS: Final = (
    Fault(
        "dropout_seed_stuck",
        "pipeline",
        "every step drops the same units",
        rewrite(
            "keras.src.random.seed_generator:SeedGenerator.next",
            ("self.state.assign(self.backend.numpy.add(seed_state, increment))", "pass"),
        ),
    ),
    Fault(
        "dropout_not_scaled",
        "pipeline",
        "what dropout keeps is not scaled up",
        wrap(f"{_NOISE}.dropout:Dropout.call", _not_scaled),
    ),
    Fault(
        "alpha_dropout_shifts",
        "pipeline",
        "alpha dropout shifts its input at rate 0 too",
        wrap(f"{_NOISE}.alpha_dropout:AlphaDropout.call", _shifted),
    ),
    Fault(
        "layer_norm_other_epsilon",
        "pipeline",
        "layer normalisation adds the root of epsilon to the variance",
        rewrite(
            f"{_NORMS}.layer_normalization:LayerNormalization.call",
            ("self.epsilon", "self.epsilon**0.5"),
        ),
    ),
    Fault(
        "group_norm_over_all",
        "pipeline",
        "group normalisation takes the statistics of all groups together",
        rewrite(
            f"{_NORMS}.group_normalization:GroupNormalization._apply_normalization",
            ("group_reduction_axes.pop(axis)", "pass"),
        ),
    ),
    Fault(
        "frozen_batch_norm_trains",
        "pipeline",
        "a frozen batch normalisation goes on with the statistics of its batches",
        rewrite(_BATCH, ("if training and self.trainable:", "if training:")),
    ),
    Fault(
        "batch_norm_reads_padding",
        "compile",
        "batch normalisation takes the statistics of the padding too",
        rewrite(_BATCH, ("self._moments(inputs, mask)", "self._moments(inputs, None)")),
    ),
    Fault(
        "assigned_in_half_precision",
        "compile",
        "what a layer assigns is rounded to its compute dtype",
        rewrite(
            "keras.src.backend.common.variables:Variable.assign",
            ("dtype=self._dtype", "dtype=self.dtype"),
        ),
    ),
    Fault(
        "output_without_loss_is_trained",
        "compile",
        "an output without a loss is trained on the mean squared error",
        rewrite(
            f"{COMPILED}:CompileLoss.build",
            (
                "loss = self._user_loss\n",
                "loss = [part or 'mse' for part in tree.flatten(self._user_loss)]\n",
            ),
        ),
    ),
    Fault(
        "adamax_default_epsilon",
        "optimizers",
        "the default of an argument is another than the documented one",
        wrap(f"{OPTIMIZERS}.adamax:Adamax.__init__", _smaller_epsilon),
    ),
    Fault(
        "infinite_weight_becomes_nan",
        "averaging",
        "the projection to weights that are not negative multiplies infinity by 0",
        rewrite(
            "keras.src.constraints.constraints:NonNeg.__call__",
            ("ops.maximum(w, 0)", "w * ops.cast(w >= 0, w.dtype)"),
        ),
    ),
    Fault(
        "penalty_of_one_kind_only",
        "optimizers",
        "a penalty on absolute values takes the place of that on squares",
        rewrite(
            "keras.src.regularizers.regularizers:L1L2.__call__",
            ("if self.l2 != 0.0:", "elif self.l2 != 0.0:"),
        ),
    ),
    Fault(
        "axis_of_norm_not_saved",
        "optimizers",
        "the axis of a norm is not in the configuration of its constraint",
        rewrite(
            "keras.src.constraints.constraints:MaxNorm.get_config",
            (', "axis": self.axis', ""),
        ),
    ),
    Fault(
        "first_state_reset_only",
        "compile",
        "of several states that a layer keeps only the first is reset",
        rewrite(
            "keras.src.layers.rnn.rnn:RNN.reset_state",
            ("for v in self.states:", "for v in self.states[:1]:"),
        ),
    ),
    Fault(
        "backwards_from_forward_state",
        "compile",
        "the direction from the end starts from the state of the other",
        rewrite(
            "keras.src.layers.rnn.bidirectional:Bidirectional.call",
            ("backward_state = initial_state[half:]", "backward_state = initial_state[:half]"),
        ),
    ),
    Fault(
        "masked_steps_keep_outputs",
        "compile",
        "a sequence repeats its last output where zeros are asked for",
        rewrite(
            "keras.src.layers.rnn.rnn:RNN.inner_loop",
            ("    zero_output_for_mask=self.zero_output_for_mask,\n", ""),
        ),
    ),
    Fault(
        "recurrent_dropout_rate_of_inputs",
        "compile",
        "recurrent dropout takes the rate of the dropout of the inputs",
        rewrite(
            "keras.src.layers.rnn.dropout_rnn_cell:DropoutRNNCell.get_recurrent_dropout_mask",
            ("step_input, self.recurrent_dropout", "step_input, self.dropout"),
        ),
    ),
    Fault(
        "state_kept_in_training_only",
        "compile",
        "a prediction leaves the state that a layer keeps as it was",
        rewrite(
            "keras.src.layers.rnn.rnn:RNN.call",
            (
                "    if self.stateful:\n        for",
                "    if self.stateful and training:\n        for",
            ),
        ),
    ),
    Fault(
        "label_weights_for_weights",
        "metrics",
        "at thresholds of one's own the weights of labels take the place of those of examples",
        rewrite(
            "keras.src.metrics.metrics_utils:update_confusion_matrix_variables",
            (
                "weights_tiled = ops.multiply(weights_tiled, label_weights_tiled)",
                "weights_tiled = label_weights_tiled",
            ),
        ),
    ),
    Fault(
        "epsilon_of_layers_fixed",
        "pipeline",
        "layer normalisation adds the default to the variance, whatever it was told",
        rewrite(
            f"{_NORMS}.layer_normalization:LayerNormalization.call",
            ("self.epsilon,", "1e-3,"),
        ),
    ),
)
