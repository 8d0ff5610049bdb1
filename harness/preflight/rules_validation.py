"""Validation data that are not the same every time, not there, or never looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.preflight.counting import validations
from harness.preflight.registry import Discovery, rule

if TYPE_CHECKING:
    from harness.preflight.plan import Plan
    from harness.preflight.registry import Found

_READ_AHEAD: Final = 2
"""Batches that Keras reads ahead of a generator and gives to every evaluation anew."""


@rule("refuse")
def validation_read_once(plan: Plan) -> Found:
    """A generator, which can be read once, is to be validated on in whole again and again."""
    times = validations(plan)
    if plan.validation is None or not plan.validation.one_shot or times <= 1:
        return
    if plan.validation_steps is None:
        yield Discovery(
            "fit: validation_data",
            f"a generator can be read once, and {times} evaluations are to read all of it: if it "
            "ends, the later ones have no data of their own; if it does not, neither does the "
            "first",
            "Use arrays, a dataset or a `keras.utils.PyDataset`.",
        )


@rule("warn")
def validation_differs(plan: Plan) -> Found:
    """Each evaluation reads other batches of a generator."""
    times = validations(plan)
    if plan.validation is None or not plan.validation.one_shot or times <= 1:
        return
    if plan.validation_steps is not None and plan.validation_steps > _READ_AHEAD:
        yield Discovery(
            "fit: validation_data",
            f"a generator goes on where it stood, so that each of {times} evaluations sees other "
            "batches, and their values can't be compared",
            "Use arrays, a dataset or a `keras.utils.PyDataset`.",
        )


@rule("refuse")
def validation_never_ends(plan: Plan) -> Found:
    """Validation data that repeat without end have no `validation_steps`."""
    if plan.validation is None or not plan.validation.infinite or not validations(plan):
        return
    if plan.validation_steps is None:
        yield Discovery(
            "fit: validation_steps",
            "the validation data repeat without end and nothing limits an evaluation, so the first "
            "one never ends",
            "Give `validation_steps`, or take the `repeat()` out.",
        )


@rule("warn")
def validation_steps_beyond_data(plan: Plan) -> Found:
    """More validation steps are asked for than there are batches."""
    if plan.validation is None or plan.validation.infinite or plan.validation.batches is None:
        return
    if plan.validation_steps is not None and plan.validation_steps > plan.validation.batches:
        yield Discovery(
            "fit: validation_steps",
            f"{plan.validation_steps} are asked for, the validation data have "
            f"{plan.validation.batches}: each evaluation ends early, with a warning",
            "Leave `validation_steps` out to evaluate all of them.",
        )


@rule("warn")
def validation_never_due(plan: Plan) -> Found:
    """`validation_freq` names no epoch that is trained."""
    if plan.validation is None or validations(plan) or plan.initial_epoch >= plan.epochs:
        return
    yield Discovery(
        "fit: validation_freq",
        f"{plan.validation_freq} falls on none of the epochs {plan.initial_epoch + 1} to "
        f"{plan.epochs}, so nothing is validated",
        "Lower `validation_freq`; it counts epochs from 1.",
    )
