"""When a mismatch happened, so that mismatches of many quantities sort by time."""

import math
from typing import Final, TypeAlias

from harness.errors import HarnessUsageError
from harness.trace.mismatch import Mismatch

Moment: TypeAlias = tuple[float, int]
"""Row of the step table, and which part of that step."""

Found: TypeAlias = tuple[Moment, Mismatch]

BEFORE_STEP, IN_STEP, AFTER_STEP, AFTER_EPOCH = range(4)
BEFORE_TRAINING: Final[Moment] = (-math.inf, 0)
AFTER_TRAINING: Final[Moment] = (math.inf, 0)


def at(mismatch: Mismatch, part: int) -> Found:
    """Return a mismatch with its moment; one that belongs to no step comes before training."""
    step = -math.inf if mismatch.step is None else mismatch.step
    return (step, part), mismatch


def unrecorded(*, quantity: str, part: str) -> HarnessUsageError:
    """Return the error that says what to record, by the name of its `Recording` switch."""
    return HarnessUsageError(
        f"{quantity} must be recorded in both traces to be compared, got a trace without. "
        f'Record it by Recording.of("{part}").'
    )
