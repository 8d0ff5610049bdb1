"""Automata of early stopping, plateau and checkpoints over written sequences."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.oracles.arrays import ArgumentError
from harness.oracles.monitoring import (
    early_stopping,
    improves,
    reduce_lr_on_plateau,
    saved_batches,
    saved_epochs,
)

NAN, INF = math.nan, math.inf
values = st.lists(st.one_of(st.none(), st.floats(-5, 5), st.just(NAN)), max_size=15)


def test_improvement_is_strict_and_nan_never_improves() -> None:
    """Ties and changes of exactly `min_delta` do not count, in either mode."""
    assert improves(0.5, 1.0, mode="min", min_delta=0.25)
    assert not improves(0.75, 1.0, mode="min", min_delta=0.25)
    assert not improves(1.0, 1.0, mode="max")
    assert improves(1.5, 1.0, mode="max", min_delta=-0.25)
    assert improves(INF, None, mode="min")
    assert not improves(NAN, None, mode="min")


def test_unknown_mode_is_refused() -> None:
    """Keras' "auto" is for the caller to resolve."""
    with pytest.raises(ArgumentError, match=r"^mode must be one of min, max, got 'auto'\.$"):
        improves(1.0, None, mode="auto")  # type: ignore[arg-type]


def test_patience_counts_epochs_without_improvement() -> None:
    """Best in epoch 1, patience 3: stops after epoch 4, and the best epoch is restored."""
    result = early_stopping(
        (5.0, 3.0, 4.0, 3.0, 3.5, 1.0), mode="min", patience=3, restore_best_weights=True
    )
    assert result.stop_epoch == 4
    assert (result.best_epoch, result.best_value) == (1, 3.0)
    assert result.waits == (0, 0, 1, 2, 3)
    assert result.restored_epoch == 1


@pytest.mark.parametrize("patience", [0, 1])
def test_patience_of_zero_acts_as_one(patience: int) -> None:
    """The first epoch without improvement stops."""
    assert early_stopping((3.0, 2.0, 2.0, 1.0), mode="min", patience=patience).stop_epoch == 2


def test_nothing_stops_after_the_very_first_epoch() -> None:
    """An epoch 0 without improvement waits; a later first epoch does stop."""
    assert early_stopping((NAN, 1.0), mode="min").stop_epoch is None
    assert early_stopping((NAN, 1.0), mode="min", initial_epoch=3).stop_epoch == 3


def test_nan_in_the_first_epoch_does_not_become_best() -> None:
    """A run that improves after a NaN is not stopped."""
    result = early_stopping((NAN, 3.0, 2.0, 1.0, 0.5), mode="min", patience=2)
    assert result.stop_epoch is None
    assert (result.best_epoch, result.best_value) == (4, 0.5)


def test_all_nan_stops_and_keeps_the_first_monitored_weights() -> None:
    """Without any best epoch the first monitored one is what is restored."""
    result = early_stopping(
        (NAN,) * 5, mode="max", patience=2, start_from_epoch=1, restore_best_weights=True
    )
    assert (result.stop_epoch, result.best_epoch, result.best_value) == (2, None, None)
    assert result.restored_epoch == 1


def test_missing_values_are_no_epochs() -> None:
    """A missing metric neither improves nor waits."""
    result = early_stopping((2.0, None, 3.0, None, 3.0), mode="min", patience=2)
    assert result.waits == (0, 0, 1, 1, 2)
    assert result.stop_epoch == 4


def test_baseline_never_beaten_stops_an_improving_run() -> None:
    """Losses fall but stay above the baseline: patience 2 stops after epoch 1."""
    result = early_stopping(
        (5.0, 4.9, 4.8), mode="min", patience=2, baseline=1.0, restore_best_weights=True
    )
    assert result.stop_epoch == 1
    assert (result.best_epoch, result.restored_epoch) == (1, 1)


def test_baseline_test_case_of_keras() -> None:
    """Upstream's own case: patience 5 trains 5 epochs and restores epoch 2."""
    result = early_stopping(
        (0.9, 0.8, 0.7, 0.71, 0.72, 0.73),
        mode="min",
        patience=5,
        baseline=0.5,
        restore_best_weights=True,
    )
    assert (result.stop_epoch, result.restored_epoch) == (4, 2)


def test_beaten_baseline_restarts_the_wait() -> None:
    """Below the baseline each improvement restarts the wait."""
    result = early_stopping((5.0, 0.9, 0.8, 0.8), mode="min", patience=2, baseline=1.0)
    assert result.waits == (1, 0, 0, 1)
    assert result.stop_epoch is None


def test_warm_up_epochs_are_not_monitored() -> None:
    """A best value within the warm-up is not remembered, and no weights are either."""
    result = early_stopping((0.1, 0.2, 5.0, 4.0), mode="min", start_from_epoch=2)
    assert (result.best_epoch, result.best_value) == (3, 4.0)
    assert result.waits == (0, 0, 0, 0)
    assert result.restored_epoch is None


@given(values, st.integers(0, 4), st.sampled_from(["min", "max"]))
def test_stop_needs_patience_epochs_without_improvement(
    series: list[float | None], patience: int, mode: str
) -> None:
    """The last `patience` monitored epochs before a stop hold no new best."""
    result = early_stopping(series, mode=mode, patience=patience)  # type: ignore[arg-type]
    if result.stop_epoch is None:
        assert len(result.waits) == len(series)
        return
    monitored = [i for i in range(result.stop_epoch + 1) if series[i] is not None]
    assert result.best_epoch not in monitored[len(monitored) - max(patience, 1) :]


@given(st.integers(1, 20), st.integers(0, 4), st.floats(0.0, 0.4))
def test_improving_run_is_never_stopped(length: int, patience: int, min_delta: float) -> None:
    """A run that improves by more than `min_delta` each epoch goes on to its end."""
    series = [-0.5 * epoch for epoch in range(length)]
    result = early_stopping(series, mode="min", patience=patience, min_delta=min_delta)
    assert result.stop_epoch is None
    assert result.best_epoch == length - 1


def test_plateau_reduces_after_patience_epochs() -> None:
    """Best in epoch 0, patience 2, factor 1/2: the rate falls after epochs 2 and 4."""
    result = reduce_lr_on_plateau((1.0,) * 6, learning_rate=8.0, mode="min", factor=0.5, patience=2)
    assert result.reductions == (2, 4)
    assert result.learning_rates == (8.0, 8.0, 8.0, 4.0, 4.0, 2.0)
    assert (result.final_learning_rate, result.best_value) == (2.0, 1.0)


def test_plateau_stops_at_the_lower_bound() -> None:
    """The bound is reached exactly and not passed, and then nothing is reduced any more."""
    result = reduce_lr_on_plateau(
        (1.0,) * 5, learning_rate=1.0, mode="min", factor=0.1, patience=1, min_lr=0.5
    )
    assert result.reductions == (1,)
    assert result.final_learning_rate == 0.5


@pytest.mark.parametrize(
    ("cooldown", "reductions"), [(0, (1, 2, 3, 4)), (1, (1, 2, 3, 4)), (2, (1, 3)), (3, (1, 4))]
)
def test_cooldown_counts_the_reducing_epoch(cooldown: int, reductions: tuple[int, ...]) -> None:
    """With patience 1 and a cooldown of 2 the rate falls every other epoch."""
    result = reduce_lr_on_plateau(
        (1.0,) * 5, learning_rate=1.0, mode="min", patience=1, cooldown=cooldown
    )
    assert result.reductions == reductions


def test_plateau_treats_nan_and_missing_values() -> None:
    """NaN waits and never becomes best, a missing value is no epoch, an improvement restarts."""
    result = reduce_lr_on_plateau(
        (NAN, 3.0, None, 2.0, NAN, NAN), learning_rate=1.0, mode="min", factor=0.5, patience=2
    )
    assert result.reductions == (5,)
    assert result.best_value == 2.0


def test_plateau_refuses_factors_that_do_not_reduce() -> None:
    """A factor of 1 is refused, as in Keras."""
    with pytest.raises(ArgumentError, match=r"^factor must be less than 1, got 1\.0\.$"):
        reduce_lr_on_plateau((1.0,), learning_rate=1.0, mode="min", factor=1.0)


def test_checkpoint_saves_the_best_only() -> None:
    """Ties and NaN are not saved, even at the start; a missing value is."""
    series = (NAN, 3.0, 3.0, None, 2.0, NAN)
    assert saved_epochs(series, mode="min") == (1, 3, 4)
    assert saved_epochs(series, mode="min", initial_value_threshold=2.5) == (3, 4)
    assert saved_epochs((1.0, 2.0), mode="max", initial_epoch=5) == (5, 6)


def test_checkpoint_saves_every_epoch_without_save_best_only() -> None:
    """Without `save_best_only` every epoch is saved."""
    assert saved_epochs((1.0, 2.0, NAN), mode="min", save_best_only=False) == (0, 1, 2)


def test_batches_are_counted_over_epochs() -> None:
    """At the end of an execution, and from the last save on."""
    assert saved_batches([1, 2, 3, 4, 5], save_freq=2) == (2, 4)
    assert saved_batches([2, 4, 5, 7, 9, 10], save_freq=3) == (4, 7, 10)
    assert saved_batches([], save_freq=1) == ()
    with pytest.raises(ArgumentError, match="save_freq must be at least 1, got 0"):
        saved_batches([1], save_freq=0)
