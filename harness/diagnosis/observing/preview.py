"""What is known to be wrong with a fit before its first step."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from harness.pipeline.plans import FIT_ARGUMENTS, plan_of_fit
from harness.preflight import check

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["preview"]

_MOST_EPOCHS = 10**5
"""Rules count epoch by epoch; who asks for more means "until something stops it"."""


def preview(model: Any, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Findings of the preflight on a fit that is about to begin, as plain values.

    Args:
        model: Compiled.
        arguments: Of ``fit``, by name.
    """
    if arguments["epochs"] - arguments["initial_epoch"] > _MOST_EPOCHS:
        return []
    known = {name: value for name, value in arguments.items() if name in FIT_ARGUMENTS}
    return [asdict(found) for found in check(plan_of_fit(model, known))]
