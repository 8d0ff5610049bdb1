"""Fits that come in several parts: one before the recorded one, or one that is broken off."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.spec.base import Count, Flag, Real, Spec


class InterruptSpec(Spec):
    """An exception breaks the fit off; a second call of it carries on.

    Steps of an epoch that was broken off are left out of the trace: Keras repeats it in full.

    Attributes:
        epoch: The epoch in which it happens.
        batch: After this batch; None is after the end of the epoch.
        same_model: The second call trains the model as the first left it, instead of one that
            starts from its initial weights, as a new process would; one whose optimizer is not
            built before the training is built anew.
        restart_at: The second call's own `initial_epoch`; None is that of the first.
    """

    epoch: Count = 0
    batch: Count | None = None
    same_model: Flag = False
    restart_at: Count | None = None


class EarlierFitSpec(Spec):
    """A whole fit of the same model that nobody records, before the one that is.

    Attributes:
        epochs: How long; 0 leaves it out.
        same_callbacks: It is given the very callbacks of the recorded fit, instead of new ones.
        script: What scripted monitors show in it; None is their own script.
        reset: Weights, slots and counters are put back to their initial values after it.
        then: What else is done with the model between the two fits.
        interrupt_after: Where it is broken off and carried on.
        carried_on: Where it is broken off a second call carries it on; without, it stays broken.
        data_seed: Seed of the examples of this fit; None is that of the recorded one.
    """

    epochs: Count = 1
    same_callbacks: Flag = True
    script: tuple[Real, ...] | None = None
    reset: Flag = True
    then: Annotated[tuple[Literal["evaluate", "predict"], ...], Field(max_length=2)] = ()
    interrupt_after: InterruptSpec | None = None
    carried_on: Flag = True
    data_seed: Count | None = None
