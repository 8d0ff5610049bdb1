"""Automata of the callbacks that watch one metric: when they stop, reduce or save.

Each takes what the callback was shown, one value per epoch from `initial_epoch` on: a float, NaN
and infinities included, or None where the metric was missing from the logs. A missing value is no
epoch for the automaton: it neither improves nor waits. NaN never is an improvement.

``improves(value, best)`` means ``value + min_delta < best`` in mode "min" and ``value - min_delta >
best`` in mode "max", strictly; with no best so far any number but NaN improves. Comparisons are in
float64; Keras compares Python numbers as float32, so differences below 6e-8 relative, which count
here, do not count there.

Each call starts fresh, as a callback that is used for a second fit must.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.oracles.arrays import ArgumentError, require_known

Mode = Literal["min", "max"]
Monitored = Sequence[float | None]


def improves(value: float, best: float | None, *, mode: Mode, min_delta: float = 0.0) -> bool:
    """Say whether `value` beats `best` by more than `min_delta`, whose sign is ignored.

    Raises:
        ArgumentError: `mode` is neither "min" nor "max".
    """
    require_known("mode", mode, ("min", "max"))
    if math.isnan(value):
        return False
    if best is None:
        return True
    if mode == "min":
        return value + abs(min_delta) < best
    return value - abs(min_delta) > best


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyStoppingResult:
    """What early stopping did with one run; epochs are absolute, from 0.

    Attributes:
        stop_epoch: Epoch after which it stopped training, or None.
        best_epoch: Epoch of the best value, or None if no epoch had one.
        best_value: That value, or None.
        waits: Per epoch run, the monitored epochs since the last restart of the count.
        restored_epoch: Epoch whose weights the model has when training has ended: the best one,
            whether or not training stopped early; the first monitored one if all were NaN. None
            if nothing is restored.
    """

    stop_epoch: int | None
    best_epoch: int | None
    best_value: float | None
    waits: tuple[int, ...]
    restored_epoch: int | None


def early_stopping(
    values: Monitored,
    *,
    mode: Mode,
    min_delta: float = 0.0,
    patience: int = 0,
    baseline: float | None = None,
    restore_best_weights: bool = False,
    start_from_epoch: int = 0,
    initial_epoch: int = 0,
) -> EarlyStoppingResult:
    """Return what `keras.callbacks.EarlyStopping` should do with a run.

    Every monitored epoch adds one to the wait. An epoch that beats the best becomes the best, and
    if it beats the baseline too (with the same `min_delta`) the wait restarts at 0. Training
    stops after an epoch that did not restart the wait and has brought it to `patience` or more,
    but never after epoch 0. So `patience` epochs in a row without improvement stop the run
    (0 acts as 1), and a run that never beats the baseline is stopped by it even while it improves.

    Example:
        >>> result = early_stopping([3.0, 2.0, 2.5, 2.5, 1.0], mode="min", patience=2)
        >>> result.stop_epoch, result.best_epoch
        (3, 1)

    Args:
        values: Monitored value per epoch; values after the stop are not looked at.
        mode: Whether lower or higher is better. Keras' "auto" is for the caller to resolve.
        min_delta: Smallest change that counts; a change of exactly this much does not.
        patience: Epochs without improvement after which training stops.
        baseline: Value that has to be beaten for the wait to restart.
        restore_best_weights: Whether the best epoch's weights are put back when training ends,
            for whatever reason it ends.
        start_from_epoch: Epochs below this index are not monitored at all.
        initial_epoch: Index of the first epoch run.

    Raises:
        ArgumentError: `mode` is neither "min" nor "max".

    References:
        Keras, `keras.callbacks.EarlyStopping`, whose test file pins "no epoch improves on the
        baseline, so we should train for only 5 epochs" for a patience of 5.
    """
    best: float | None = None
    best_epoch: int | None = None
    restored: int | None = None
    wait = 0
    waits: list[int] = []
    for epoch, value in enumerate(values, start=initial_epoch):
        if value is None or epoch < start_from_epoch:
            waits.append(wait)
            continue
        wait += 1
        if restored is None:
            restored = epoch
        if improves(value, best, mode=mode, min_delta=min_delta):
            best, best_epoch, restored = value, epoch, epoch
            if improves(value, baseline, mode=mode, min_delta=min_delta):
                wait = 0
        waits.append(wait)
        if wait and wait >= patience and epoch > 0:
            break
    else:
        epoch = None
    return EarlyStoppingResult(
        stop_epoch=epoch,
        best_epoch=best_epoch,
        best_value=best,
        waits=tuple(waits),
        restored_epoch=restored if restore_best_weights else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateauResult:
    """What the plateau callback did with one run; epochs are absolute, from 0.

    Attributes:
        learning_rates: Per epoch, the rate the epoch was trained with.
        final_learning_rate: Rate after the last epoch.
        reductions: Epochs after which the rate was reduced.
        best_value: Best monitored value, or None.
    """

    learning_rates: tuple[float, ...]
    final_learning_rate: float
    reductions: tuple[int, ...]
    best_value: float | None


def reduce_lr_on_plateau(
    values: Monitored,
    *,
    learning_rate: float,
    mode: Mode,
    factor: float = 0.1,
    patience: int = 10,
    min_delta: float = 1e-4,
    cooldown: int = 0,
    min_lr: float = 0.0,
    initial_epoch: int = 0,
) -> PlateauResult:
    """Return what `keras.callbacks.ReduceLROnPlateau` should do with a run.

    An epoch without improvement adds one to the wait; at `patience` (0 acts as 1) the rate becomes
    ``max(rate * factor, min_lr)``, the wait restarts and the cooldown begins. A rate at `min_lr`
    is not reduced again. An improvement restarts the wait.

    VARIANT: the epoch that reduces is the first of the `cooldown` epochs, so that with a patience
    of 1 and a cooldown of 2 the rate falls every other epoch (Keras' own test pins this), and a
    cooldown of 1 acts like 0.

    Args:
        values: Monitored value per epoch.
        learning_rate: Rate before the first epoch.
        mode: Whether lower or higher is better. Keras' "auto" is for the caller to resolve.
        factor: Factor of each reduction, below 1.
        patience: Epochs without improvement after which the rate falls.
        min_delta: Smallest change that counts as improvement.
        cooldown: Epochs, the reducing one included, in which no wait builds up.
        min_lr: Lower bound of the rate.
        initial_epoch: Index of the first epoch run.

    Raises:
        ArgumentError: `factor` is not below 1, or `mode` is neither "min" nor "max".

    References:
        Keras, `keras.callbacks.ReduceLROnPlateau`.
    """
    if not factor < 1.0:
        msg = f"factor must be less than 1, got {factor!r}."
        raise ArgumentError(msg)
    rate, wait, resting = learning_rate, 0, 0
    best: float | None = None
    rates: list[float] = []
    reductions: list[int] = []
    for epoch, value in enumerate(values, start=initial_epoch):
        rates.append(rate)
        if value is None:
            continue
        if resting:
            resting, wait = resting - 1, 0
        if improves(value, best, mode=mode, min_delta=min_delta):
            best, wait = value, 0
        elif not resting:
            wait += 1
            if wait >= patience and rate > min_lr:
                rate = max(rate * factor, min_lr)
                reductions.append(epoch)
                resting, wait = cooldown, 0
    return PlateauResult(
        learning_rates=tuple(rates),
        final_learning_rate=rate,
        reductions=tuple(reductions),
        best_value=best,
    )


def saved_epochs(
    values: Monitored,
    *,
    mode: Mode,
    save_best_only: bool = True,
    initial_value_threshold: float | None = None,
    initial_epoch: int = 0,
) -> tuple[int, ...]:
    """Return the epochs after which `keras.callbacks.ModelCheckpoint` should save.

    With `save_best_only` these are the epochs that beat every earlier one and the threshold; ties
    and NaN are not better and are not saved. Without it every epoch is saved.

    VARIANT: an epoch whose metric is missing is saved, and leaves the best value alone. The public
    documentation is silent; Keras warns, and its own test pins the save.

    Args:
        values: Monitored value per epoch.
        mode: Whether lower or higher is better. Keras' "auto" is for the caller to resolve.
        save_best_only: Whether only improvements are saved.
        initial_value_threshold: Value the first save has to beat.
        initial_epoch: Index of the first epoch run.

    Raises:
        ArgumentError: `mode` is neither "min" nor "max".

    References:
        Keras, `keras.callbacks.ModelCheckpoint`.
    """
    best = initial_value_threshold
    saved: list[int] = []
    for epoch, value in enumerate(values, start=initial_epoch):
        if value is None or not save_best_only:
            saved.append(epoch)
        elif improves(value, best, mode=mode):
            best = value
            saved.append(epoch)
    return tuple(saved)


def saved_batches(ends: Sequence[int], *, save_freq: int) -> tuple[int, ...]:
    """Return after how many batches a callback that counts them should save.

    It looks at its count at the end of each execution, saves when at least `save_freq` batches
    have come since the last time, and begins to count anew. The end of an epoch is no end to it.

    Example:
        >>> saved_batches([2, 4, 5, 7, 9, 10], save_freq=3)
        (4, 7, 10)

    Args:
        ends: Batches trained so far at the end of each execution, rising.
        save_freq: Batches between two saves, at least 1.

    Raises:
        ArgumentError: `save_freq` is below 1.

    References:
        Keras, `keras.callbacks.ModelCheckpoint` and `keras.callbacks.BackupAndRestore`, argument
        save_freq.
    """
    if save_freq < 1:
        msg = f"save_freq must be at least 1, got {save_freq!r}."
        raise ArgumentError(msg)
    last = 0
    saved: list[int] = []
    for end in ends:
        if end - last >= save_freq:
            last = end
            saved.append(end)
    return tuple(saved)
