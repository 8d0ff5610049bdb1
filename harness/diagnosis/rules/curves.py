"""Findings about the shape of the curves: a leap at the end, divergence, overfitting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from harness.diagnosis.finding import Finding
from harness.invariants.spikes import FEWEST_STEPS, Curve, spike_of
from harness.invariants.symptoms import divergence_of, overfitting_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.diagnosis.finding import Level
    from harness.diagnosis.seen import FitSeen, StepsSeen
    from harness.spec.names import CauseName

__all__ = ["final_spike", "trends"]

_FEWEST_EPOCHS: Final = 3

_LEVELS: Final[Mapping[CauseName, Level]] = {
    "overshoot": "problem",
    "sharp_minimum": "problem",
    "outlier_batch": "warning",
    "partial_batch": "note",
    "unknown": "note",
}

_ADVICE: Final[Mapping[CauseName, tuple[str, str]]] = {
    "overshoot": (
        (
            "The last updates went too far and threw the model out of where it was: what is "
            "saved now is worse than it was a few steps before."
        ),
        (
            "Let the learning rate fall towards the end (CosineDecay over all steps, or "
            "ReduceLROnPlateau), and keep the best weights instead of the last."
        ),
    ),
    "sharp_minimum": (
        (
            "The minimum is so steep that an update of the usual length climbs its wall: the last "
            "weights are worse than those before."
        ),
        (
            "Lower the learning rate towards the end or clip the gradients "
            "(global_clipnorm=1.0), and keep the best weights instead of the last."
        ),
    ),
    "outlier_batch": (
        "The batch is unlike the others; the model is not worse than a step before.",
        (
            "Look at the examples of that batch, shuffle, and judge the end by validation data, "
            "not by the loss of one batch."
        ),
    ),
    "partial_batch": (
        "The last batch holds few examples, so its loss scatters more; the model is not worse.",
        "Judge the end by the epoch's loss or by validation data.",
    ),
    "unknown": (
        "The loss of a single batch scatters; this may be nothing.",
        "Judge the end by validation data.",
    ),
}


def final_spike(steps: StepsSeen, where: str) -> Iterator[Finding]:
    """A leap of the loss in the final step, and what is behind it.

    Args:
        steps: What was recorded.
        where: The run.
    """
    if len(steps) < FEWEST_STEPS or not np.isfinite(steps.loss).all():
        return
    if np.isnan(steps.move[1:]).any():
        return
    # Of the first update nobody knows what was before it.
    moves = np.where(np.isnan(steps.move), np.nanmedian(steps.move), steps.move)[:-1]
    if not moves.any() or not np.isfinite(moves).all():
        return
    sizes = np.where(np.isfinite(steps.batch_size), steps.batch_size, 0.0)
    with np.errstate(all="ignore"):
        spike = spike_of(
            Curve(
                losses=steps.loss,
                epochs=steps.epoch,
                batches=steps.batch,
                sizes=sizes.astype(np.int64),
                gradients=steps.gradient_norm,
                moves=moves,
            )
        )
    if spike is None:
        return
    cause = spike.cause
    if cause == "unknown" and 0 < sizes[-1] < sizes.max() / 2:
        cause = "partial_batch"
    why, remedy = _ADVICE[cause]
    name = "cause unknown" if cause == "unknown" else cause.replace("_", " ")
    yield Finding(
        rule="final_step_spike",
        level=_LEVELS[cause],
        where=where,
        seen=f"The loss leaps in the final step, {name}: {spike.evidence}.",
        why=why,
        remedy=remedy,
        figures={"cause": cause, "step": steps.first + spike.step, "loss": float(steps.loss[-1])},
    )


def trends(fit: FitSeen) -> Iterator[Finding]:
    """Divergence and overfitting, as notes: they are of the task, not of the program."""
    if (
        fit.steps is not None
        and len(fit.steps) >= FEWEST_STEPS
        and np.isfinite(fit.steps.loss).all()
    ):
        symptom = divergence_of(fit.steps.loss)
        if symptom is not None:
            yield Finding(
                rule="divergence",
                level="note",
                where=fit.where,
                seen=f"The training went away from its goal: {symptom.evidence}.",
                why="Updates that are too long make the loss grow from step to step.",
                remedy="Lower the learning rate.",
                figures={"step": symptom.step},
            )
    epochs = [epoch for epoch in fit.done if {"loss", "val_loss"} <= epoch.logs.keys()]
    held_out = np.array([epoch.logs["val_loss"] for epoch in epochs])
    trained = np.array([epoch.logs["loss"] for epoch in epochs])
    if len(epochs) < _FEWEST_EPOCHS or not np.isfinite(held_out + trained).all():
        return
    numbers = np.array([epoch.epoch + 1 for epoch in epochs])
    symptom = overfitting_of(numbers, trained, held_out)
    if symptom is not None:
        yield Finding(
            rule="overfitting",
            level="note",
            where=fit.where,
            seen=f"The model learns the training data by heart: {symptom.evidence}.",
            why="From there on it gets worse on data that it has not seen.",
            remedy=(
                "Stop there (EarlyStopping with restore_best_weights), regularise, or get "
                "more data."
            ),
            figures={"epoch": symptom.epoch},
        )
