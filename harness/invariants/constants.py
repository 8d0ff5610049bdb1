"""The constants of an optimizer's algorithm, from its table to the arguments of a rule."""

import re
from collections.abc import Sequence
from typing import Any

from harness.spec.optimizer import AdafactorSpec, BuiltinOptimizer, MuonSpec, OptimizerSpec
from harness.trace.state import VariableInfo

_NOT_NUMBERS = {"kind", "exclude_layers", "exclude_embeddings"}
_MATRIX = 2


def hyperparameters(optimizer: BuiltinOptimizer) -> dict[str, Any]:
    """Return the constants besides those that every optimizer has.

    Adafactor caps only a learning rate that is a number, and leaves a schedule alone.
    """
    common = set(OptimizerSpec.model_fields) | _NOT_NUMBERS
    constants = optimizer.model_dump(exclude=common)
    if isinstance(optimizer, AdafactorSpec) and not isinstance(optimizer.learning_rate, float):
        constants["relative_step"] = False
    return constants


def adam_mask(
    optimizer: BuiltinOptimizer, variables: Sequence[VariableInfo]
) -> tuple[bool, ...] | None:
    """Return which variables Muon leaves to Adam; None for every other optimizer.

    These are all but matrices, embeddings unless they are asked for, and every matrix whose path
    one of the excluded patterns is found in.
    """
    if not isinstance(optimizer, MuonSpec):
        return None
    patterns = [re.compile(pattern) for pattern in optimizer.exclude_layers]
    return tuple(
        len(item.shape) != _MATRIX
        or (optimizer.exclude_embeddings and "embedding" in item.path.lower())
        or any(pattern.search(item.path) for pattern in patterns)
        for item in variables
    )
