"""The names that scenario files may use for checks, quantities and stop reasons.

They stand here, below the code that gives them a meaning, so that a file can be checked and an
editor can complete it without that code. `tests/architecture` holds both sides together.
"""

from __future__ import annotations

from typing import Literal

InvariantName = Literal[
    "accumulation_keeps_weights_constant",
    "clipping_matches_oracle",
    "clipping_respects_limit",
    "counts_agree",
    "data_exhaustion_is_reported",
    "early_stopping_follows_automaton",
    "every_sample_once_per_epoch",
    "evaluate_matches_oracle",
    "hooks_are_well_formed",
    "iterations_count_steps",
    "learning_rate_follows_schedule",
    "loss_log_is_sample_mean",
    "loss_scale_follows_automaton",
    "masters_keep_their_dtype",
    "memory_is_flat",
    "never_trains_on_undrawn_batches",
    "plateau_follows_automaton",
    "replica_copies_agree",
    "skipped_step_changes_nothing",
    "steps_follow_plan",
    "total_is_sum_of_outputs",
    "weights_stay_finite",
]

FIGURES = (
    "steps",
    "updates",
    "epochs",
    "final_loss",
    "peak_rss_bytes",
    "rss_growth_per_epoch_bytes",
    "wall_seconds",
    "traces",
)

FIGURE_FAMILIES = ("logs", "max", "min", "evaluation")
"""Each goes before a key of the logs, as in ``max.val_accuracy``."""

Quantity = Literal[
    "steps",
    "losses",
    "learning_rates",
    "iterations",
    "gradient_norms",
    "samples",
    "weights",
    "slots",
    "counters",
    "state",
    "logs",
    "stop",
    "predictions",
    "evaluation",
]

StopName = Literal[
    "completed",
    "max_steps",
    "early_stopping",
    "callback_request",
    "callback_error",
    "data_exhausted",
    "non_finite",
    "out_of_memory",
    "killed",
    "timed_out",
    "interrupted",
    "error",
]
