"""The names that scenario files may use for checks, quantities and stop reasons.

They stand here, below the code that gives them a meaning, so that a file can be checked and an
editor can complete it without that code. `tests/architecture` holds both sides together.
"""

from __future__ import annotations

from typing import Literal

InvariantName = Literal[
    "accumulation_keeps_weights_constant",
    "backups_follow_automaton",
    "batch_statistics_are_averages",
    "checkpoints_follow_automaton",
    "clipping_matches_oracle",
    "clipping_respects_limit",
    "constraints_hold",
    "counts_agree",
    "csv_log_matches_epochs",
    "data_exhaustion_is_reported",
    "early_stopping_follows_automaton",
    "epochs_are_shuffled_anew",
    "evaluate_matches_oracle",
    "evaluation_changes_nothing",
    "every_drawn_batch_is_trained",
    "every_sample_once_per_epoch",
    "frozen_logs_match_oracle",
    "history_matches_epochs",
    "hook_logs_agree",
    "hooks_are_well_formed",
    "iterations_count_steps",
    "layers_match_oracle",
    "learning_rate_follows_schedule",
    "learning_rate_is_logged",
    "loss_gradients_match_oracle",
    "loss_log_is_sample_mean",
    "loss_scale_follows_automaton",
    "loss_scale_stays_in_range",
    "losses_match_oracle",
    "masters_keep_their_dtype",
    "memory_is_flat",
    "metrics_match_oracle",
    "never_trains_on_undrawn_batches",
    "noise_never_repeats",
    "nothing_is_left_behind",
    "overwritten_take_their_gradient",
    "peak_memory_is_flat",
    "plateau_follows_automaton",
    "progress_bar_shows_logs",
    "replica_copies_agree",
    "skipped_step_changes_nothing",
    "source_batches_follow_begin",
    "source_epochs_begin_once",
    "source_epochs_end",
    "source_hooks_alternate",
    "steps_follow_plan",
    "summaries_match_logs",
    "terminates_on_nan",
    "total_is_sum_of_outputs",
    "validation_follows_frequency",
    "weight_histograms_are_whole",
    "weights_stay_finite",
]

SymptomName = Literal["divergence", "final_step_spike", "memory_leak", "overfitting"]

CauseName = Literal[
    "growing_list",
    "kept_tensor",
    "outlier_batch",
    "overshoot",
    "partial_batch",
    "retraced_function",
    "sharp_minimum",
    "unknown",
]
"""Of a spike in the final step, or of a memory leak."""

PreflightName = Literal[
    "accumulation_left_over",
    "accumulation_never_complete",
    "best_out_of_reach",
    "checkpoint_name",
    "checkpoint_placeholder",
    "class_weight_misses",
    "classes_held_out",
    "direction_reversed",
    "direction_unknown",
    "elements_without_batch",
    "execution_overruns_epoch",
    "float16_without_loss_scale",
    "generator_for_several_epochs",
    "generator_not_called",
    "jit_compile_ignored",
    "labels_in_order",
    "loss_scale_without_float16",
    "monitor_not_logged",
    "no_epoch_left",
    "patience_never_runs_out",
    "rate_asks_for_arguments",
    "rate_has_two_masters",
    "schedule_ends_early",
    "schedule_outlives_training",
    "steps_beyond_data",
    "tiny_last_batch",
    "training_never_ends",
    "two_clippings",
    "validation_differs",
    "validation_never_due",
    "validation_never_ends",
    "validation_read_once",
    "validation_steps_beyond_data",
    "warmup_outlives_training",
]
"""Rules about plans; see `harness.preflight`."""

FIGURES = (
    "steps",
    "updates",
    "epochs",
    "final_loss",
    "final_step_loss",
    "peak_device_bytes",
    "peak_rss_bytes",
    "peak_rss_growth_bytes",
    "rss_growth_per_epoch_bytes",
    "rss_growth_per_step_bytes",
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
