"""Findings about losses, gradients and weights on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.diagnosis.finding import Finding
from harness.diagnosis.rules.words import count, listed, place_of_step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from harness.diagnosis.seen import StepsSeen

__all__ = ["loss_scale", "not_finite"]

_GROWN = 10.0
"""A loss that many times its lowest was on its way out before it became NaN."""

_FEW = 3
"""More variables than that are not named one by one."""

_COLLAPSED = 1.0
"""Below a scale of one the loss is made smaller: no gradient is rescued by that."""


def not_finite(
    steps: StepsSeen,
    where: str,
    *,
    epochs: bool,
    wrong_data: tuple[str, ...] = (),
    wrong_weights: tuple[str, ...] = (),
) -> Iterator[Finding]:
    """NaN or infinity: in which variable and at which step first.

    Args:
        steps: What was recorded.
        where: The run.
        epochs: Whether it has epochs.
        wrong_data: Arrays that are not finite.
        wrong_weights: Variables that are not finite at the end.
    """
    scaled = bool((steps.loss_scale != 1.0).any())
    bad_loss = _first(~np.isfinite(steps.loss) & ~_unseen(steps))
    bad_gradient = None if scaled else _first(_wrong_gradients(steps))
    if bad_loss is None and bad_gradient is None:
        return
    first = min(index for index in (bad_loss, bad_gradient) if index is not None)
    if scaled and not wrong_weights and np.isfinite(steps.loss[first + 1 :]).any():
        # An overflow in float16 that the loss scale has dealt with.
        return
    names = [] if bad_gradient is None else _names(steps, bad_gradient)
    seen = _sentences(steps, bad_loss, bad_gradient, names, epochs=epochs)
    if wrong_weights:
        seen += f" Not finite at the end: {listed(wrong_weights)}."
    why, remedy = _cause(steps, first, wrong_data)
    yield Finding(
        rule="not_finite",
        level="problem",
        where=where,
        seen=seen,
        why=why,
        remedy=remedy,
        figures={
            "step": steps.first + first,
            "variable": names[0] if names else None,
            "loss_step": None if bad_loss is None else steps.first + bad_loss,
        },
    )


def loss_scale(steps: StepsSeen, where: str, *, epochs: bool) -> Iterator[Finding]:
    """A loss scale that was halved until nothing was left of it.

    Args:
        steps: What was recorded.
        where: The run.
        epochs: Whether it has epochs.
    """
    scale = steps.loss_scale
    if len(scale) == 0 or not scale.min() < _COLLAPSED or not scale.max() > _COLLAPSED:
        return
    first = int(np.flatnonzero(scale < _COLLAPSED)[0])
    skipped = int((np.diff(scale) < 0).sum())
    bad = np.flatnonzero(_wrong_gradients(steps))
    names = _names(steps, int(bad[0])) if bad.size else []
    yield Finding(
        rule="loss_scale_collapsed",
        level="problem",
        where=where,
        seen=(
            f"The loss scale fell from {scale.max():g} to {scale.min():g}, below 1 at "
            f"{place_of_step(steps, first, epochs=epochs)}; {skipped} of {len(scale)} steps were "
            f"skipped. Gradients that were not finite: {listed(names) or 'unknown'}."
        ),
        why=(
            "Each skipped step changes no weight. A scale that falls on and on says that the "
            "gradients are not finite whatever the scale: the loss or the model makes the NaN, not "
            "float16's range."
        ),
        remedy=(
            "Look for the NaN under float32 first; compute softmax, exponentials, logarithms and "
            'large sums in float32 (dtype="float32" for the last layers).'
        ),
        figures={"highest": float(scale.max()), "lowest": float(scale.min()), "skipped": skipped},
    )


def _unseen(steps: StepsSeen) -> NDArray[Any]:
    """Steps whose loss nobody saw: NaN throughout means that it was never there."""
    nobody = len(steps) > 0 and bool(np.isnan(steps.loss).all()) and _calm(steps)
    return np.full(len(steps), nobody)


def _wrong_gradients(steps: StepsSeen) -> NDArray[Any]:
    """Steps in which some gradient is not finite."""
    return np.asarray((~np.isfinite(steps.gradients)).any(axis=1))


def _calm(steps: StepsSeen) -> bool:
    return bool(np.isfinite(steps.gradients).all())


def _first(wrong: NDArray[Any]) -> int | None:
    return int(np.flatnonzero(wrong)[0]) if wrong.any() else None


def _names(steps: StepsSeen, index: int) -> list[str]:
    """Variables whose gradient is not finite, the last layer first: there a NaN comes in."""
    wrong = np.flatnonzero(~np.isfinite(steps.gradients[index]))
    return [steps.paths[variable] for variable in wrong[::-1]]


def _sentences(
    steps: StepsSeen, loss: int | None, gradient: int | None, names: list[str], *, epochs: bool
) -> str:
    parts = []
    if gradient is not None:
        everywhere = len(names) == len(steps.paths) > _FEW
        variables = "every variable" if everywhere else listed(names)
        parts.append(
            f"The gradient of {variables} was first not finite at "
            f"{place_of_step(steps, gradient, epochs=epochs)}, and with that update the weights"
        )
    if loss is not None:
        value = float(steps.loss[loss])
        before = steps.loss[:loss][np.isfinite(steps.loss[:loss])]
        last = f"; the step before had {before[-1]:.4g}" if before.size else ""
        parts.append(f"The loss was {value} at {place_of_step(steps, loss, epochs=epochs)}{last}")
    return f"{'. '.join(parts)}. {count(len(steps) - (loss or 0), 'step')} came from there on."


def _cause(steps: StepsSeen, first: int, wrong_data: tuple[str, ...]) -> tuple[str, str]:
    if wrong_data:
        return (
            f"The data hold it: {'; '.join(wrong_data)}. One such example spoils every weight.",
            "Clean the data: np.isfinite(x).all() before fit.",
        )
    before = steps.loss[: first + 1]
    before = before[np.isfinite(before)]
    if before.size > 1 and before[-1] > _GROWN * before.min():
        return (
            (
                f"The loss had risen from {before.min():.3g} to {before[-1]:.3g} before: the "
                "updates were too long, and each made the next one longer."
            ),
            "Lower the learning rate, or limit the updates with global_clipnorm=1.0.",
        )
    if first == 0:
        return (
            (
                "It was there at the first step, so no update has brought it: the data, the "
                "initial weights or the loss itself make it."
            ),
            "Check the data, and the loss for a logarithm or a division by zero.",
        )
    return (
        "After one such update nothing can be learned: NaN spreads through every sum.",
        (
            "Look at the loss for log(0), 0/0 or sqrt(0) (add an epsilon inside), and at the "
            "batch of that step; keras.callbacks.TerminateOnNaN ends such a run at once."
        ),
    )
