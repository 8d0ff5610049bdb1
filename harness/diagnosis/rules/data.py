"""Findings about what a training was fed with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.diagnosis.finding import Finding
from harness.diagnosis.rules.words import count, source_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.diagnosis.seen import FitSeen

__all__ = ["what_it_read"]

_AGREE = 2e-4
"""Float32 means over an epoch agree to about 1e-5; a batch too many is at least this much off."""


def what_it_read(fit: FitSeen) -> Iterator[Finding]:
    """Everything about the data of one fit."""
    yield from _replay(fit)
    yield from _overrun(fit)
    yield from _phantom(fit)
    yield from _static_batch(fit)
    yield from _validation(fit)


def _replay(fit: FitSeen) -> Iterator[Finding]:
    """A generator that ended is played again: the batches that Keras drew to look at them."""
    if fit.drawn is None or not fit.source_ended or fit.done_steps <= fit.drawn:
        return
    again = fit.done_steps - fit.drawn
    yield Finding(
        rule="dataset_replay",
        level="problem",
        where=fit.where,
        seen=(
            f"The generator gave {fit.drawn} batches and ended, {fit.done_steps} steps were "
            f"trained: {again} of them on batches that had been trained on before. "
            f"The source: {source_of(fit)}."
        ),
        why=(
            "A generator can be read once. When it has ended, Keras plays the first two batches, "
            "which it had drawn to look at, in every further epoch: the model learns those by "
            "heart."
        ),
        remedy=(
            "Let the generator go on without end and give steps_per_epoch; or make a "
            "tf.data.Dataset or a keras.utils.PyDataset of it, which begin anew in every epoch."
        ),
        figures={"drawn": fit.drawn, "steps": fit.done_steps, "replayed": again},
    )


def _overrun(fit: FitSeen) -> Iterator[Finding]:
    planned, several = fit.steps_per_epoch, fit.steps_per_execution
    over = [e for e in fit.done if planned and e.steps is not None and e.steps > planned]
    if not over or several <= 1:
        return
    yield Finding(
        rule="steps_per_execution_overrun",
        level="warning",
        where=fit.where,
        seen=(
            f"{over[0].steps} steps were trained in epoch {over[0].epoch + 1}, {planned} were "
            f"asked for: steps_per_execution is {several}, and an execution always runs in full. "
            f"{count(len(over), 'epoch')} of {len(fit.done)} went too far."
        ),
        why=(
            "Each epoch takes more batches than planned, so that schedules, budgets and what is "
            "called an epoch are off."
        ),
        remedy=f"Choose steps_per_epoch as a multiple of {several}.",
        figures={"steps": over[0].steps, "planned": planned, "steps_per_execution": several},
    )


def _phantom(fit: FitSeen) -> Iterator[Finding]:
    if fit.updates is None or fit.steps is None or fit.source.get("batches") is not None:
        return
    extra = fit.updates - fit.done_steps
    if not 0 < extra <= fit.begun or fit.source_ended:
        # A generator that has ended is a finding of its own.
        return
    optimizer = fit.optimizer
    affected = [
        text
        for name, text in (
            ("weight_decay", "weight decay is applied once more"),
            ("use_ema", "the moving average takes the weights in once more"),
            ("accumulation", "the window of accumulated gradients moves on"),
            ("schedule", "the schedule moves on"),
        )
        if optimizer.get(name)
    ]
    matters = bool(affected)
    yield Finding(
        rule="phantom_step",
        level="warning" if matters else "note",
        where=fit.where,
        seen=(
            f"The optimizer counts {fit.updates} updates, {fit.done_steps} batches were trained: "
            f"{count(extra, 'step')} found the source at its end. "
            f"The source: {source_of(fit)}."
        ),
        why=(
            "Where the length of a source is unknown, Keras runs the train step once more to find "
            f"its end: {', '.join(affected) or 'the count goes up'} without a batch."
        ),
        remedy=(
            "Tell the length: dataset.apply(tf.data.experimental.assert_cardinality(n)), or give "
            "steps_per_epoch."
        ),
        figures={"updates": fit.updates, "batches": fit.done_steps},
    )


def _static_batch(fit: FitSeen) -> Iterator[Finding]:
    """The mean over an epoch counts a batch that was never there."""
    size, steps = fit.source.get("static_size"), fit.steps
    if size is None or fit.source.get("batches") is not None or steps is None or steps.first:
        return
    for epoch in fit.done:
        rows = steps.epoch == epoch.epoch
        loss, weight = steps.loss[rows], steps.batch_size[rows]
        reported = epoch.logs.get("loss")
        if reported is None or not rows.any() or not np.isfinite(loss * weight).all():
            continue
        true = float(np.sum(loss * weight) / np.sum(weight))
        expected = true * float(weight.sum() / (weight.sum() + size))
        off = abs(reported - true) > _AGREE * abs(true)
        if off and abs(reported - expected) <= _AGREE * abs(expected):
            yield Finding(
                rule="phantom_batch_in_metrics",
                level="warning",
                where=fit.where,
                seen=(
                    f"Epoch {epoch.epoch + 1} reported a loss of {reported:.6g}; over the "
                    f"{int(weight.sum())} examples that were trained it was {true:.6g}. The "
                    f"difference is a batch of {size} that was never there."
                ),
                why=(
                    "The source has batches of a fixed size and an unknown end; the call that "
                    "finds the end still counts a whole batch, and every mean of the epoch is "
                    "too small."
                ),
                remedy=(
                    "Tell the length by tf.data.experimental.assert_cardinality(n) or "
                    "steps_per_epoch, or batch without drop_remainder."
                ),
                figures={"reported": reported, "true": true, "batch_size": size},
            )
            return


def _validation(fit: FitSeen) -> Iterator[Finding]:
    seen = [entry for entry in fit.validated if "fingerprint" in entry]
    prints = {(entry["examples"], entry["fingerprint"]) for entry in seen}
    if len(prints) <= 1 or fit.validation is None:
        return
    sizes = [int(entry["examples"]) for entry in seen]
    first = next(i for i, e in enumerate(seen) if e["fingerprint"] != seen[0]["fingerprint"])
    ended = (
        f" The generator gave {fit.validation_drawn} batches and ended."
        if fit.validation_ended
        else ""
    )
    kind = fit.validation.get("kind")
    source = fit.validation.get("built")
    yield Finding(
        rule="validation_differs",
        level="problem",
        where=fit.where,
        seen=(
            f"{len(prints)} different sets of data were validated on in {len(seen)} epochs: epoch "
            f"{seen[0]['epoch'] + 1} saw {sizes[0]} examples, epoch {seen[first]['epoch'] + 1} saw "
            f"{sizes[first]}, not the same ones.{ended} The source: {source}."
        ),
        why=(
            "Values of different data can't be compared: EarlyStopping, ReduceLROnPlateau and "
            "checkpoints of the best epoch follow the luck of the draw."
        ),
        remedy=(
            "A generator can be read once: use arrays, a dataset or a keras.utils.PyDataset."
            if kind == "generator"
            else "Take shuffling and random augmentation out of the validation data, and evaluate "
            "all of it, or always the same part: .take(n) before .shuffle()."
        ),
        figures={"sets": len(prints), "validations": len(seen)},
    )
