"""The automaton that moves a dynamic loss scale up and down."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from harness.oracles.arrays import Float64, require_positive

SMALLEST_SCALE = 2.0**-126
"""Smallest normal float32; halving stops here, so that a scale never reaches zero."""

LARGEST_SCALE = 2.0**127
"""Largest power of two in float32; a doubling that would pass float32's range is not done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamicLossScale:
    """Policy of a dynamic loss scale, with the names and defaults of Keras.

    Attributes:
        initial_scale: Scale before the first step, > 0.
        dynamic_growth_steps: Finite steps in a row after which the scale doubles, >= 1.

    Raises:
        ArgumentError: A value is not positive.
    """

    initial_scale: float = 2.0**15
    dynamic_growth_steps: int = 2000

    def __post_init__(self) -> None:
        """Check that both numbers are positive."""
        require_positive(
            initial_scale=self.initial_scale, dynamic_growth_steps=self.dynamic_growth_steps
        )


class LossScaleState(NamedTuple):
    """Where the automaton stands.

    Attributes:
        scale: Factor the next loss is multiplied by.
        finite_steps: Finite steps since the scale last changed; Keras calls it step_counter.
    """

    scale: float
    finite_steps: int = 0


def next_scale(state: LossScaleState, finite: bool, *, growth_steps: int) -> LossScaleState:  # noqa: FBT001
    """Return the state after one step whose gradients were all finite, or were not.

    - Not finite: the scale halves, the count starts again, and the step must be skipped.
    - Finite, and the `growth_steps`-th in a row since the last change: the scale doubles after
      the step, so that it first acts on the next one; the count starts again.
    - Finite otherwise: only the count moves.

    The scale is confined to float32's normal range, ``[2**-126, 2**128)``: where halving or
    doubling would leave it, the scale stays and the count starts again all the same.

    Args:
        state: Scale and count before the step.
        finite: Whether every element of every gradient was finite.
        growth_steps: Finite steps in a row after which the scale doubles, >= 1.

    Raises:
        ArgumentError: `growth_steps` is not positive.

    References:
        Micikevicius et al., "Mixed precision training", ICLR 2018, section 3.2.
        Keras, `keras.optimizers.LossScaleOptimizer`.
    """
    require_positive(growth_steps=growth_steps)
    if not finite:
        halved = state.scale * 0.5
        return LossScaleState(halved if halved >= SMALLEST_SCALE else state.scale)
    if state.finite_steps + 1 < growth_steps:
        return LossScaleState(state.scale, state.finite_steps + 1)
    return LossScaleState(state.scale * 2.0 if state.scale < LARGEST_SCALE else state.scale)


def all_finite(gradients: Sequence[Float64 | None]) -> bool:
    """Say whether no gradient holds an infinity or NaN; None entries are left out."""
    return all(bool(np.isfinite(g).all()) for g in gradients if g is not None)
