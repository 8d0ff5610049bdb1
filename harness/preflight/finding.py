"""What a rule says about a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

__all__ = ["SEVERITIES", "Finding", "Severity"]

Severity = Literal["refuse", "warn"]

SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)
"""``refuse``: the training fails, never ends, or can't be what was asked for; that is certain.
``warn``: it runs, and something in it has no effect or another one than it seems to have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with a plan.

    Attributes:
        rule: Name of the rule.
        severity: ``refuse`` or ``warn``.
        where: What of the plan, in Keras' words: ``fit: steps_per_epoch``,
            ``callbacks[1] EarlyStopping: patience``.
        message: What is planned, and what will become of it; one sentence without a full stop.
        remedy: A full sentence on what to do.
    """

    rule: str
    severity: Severity
    where: str
    message: str
    remedy: str

    def __str__(self) -> str:
        """One line: where, what, what to do, and the rule that says so."""
        return f"{self.where}: {self.message}. {self.remedy} [{self.rule}]"
