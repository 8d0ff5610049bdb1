"""The rules there are, and one call for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from harness.preflight.finding import SEVERITIES, Finding, Severity

if TYPE_CHECKING:
    from harness.preflight.plan import Plan

__all__ = ["Discovery", "Found", "Rule", "check", "rule", "rules"]


class Discovery(NamedTuple):
    """What a rule finds; see `Finding`."""

    where: str
    message: str
    remedy: str


Found = Iterator[Discovery]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that is looked for.

    Attributes:
        name: Short and stable: people name it to leave the rule out.
        severity: How bad it is.
        says: What is wrong, in a sentence; the first line of the function's docstring.
        find: Yields everything it finds.
    """

    name: str
    severity: Severity
    says: str
    find: Callable[[Plan], Found]

    def findings(self, plan: Plan) -> Iterator[Finding]:
        """What this rule finds."""
        for found in self.find(plan):
            yield Finding(rule=self.name, severity=self.severity, **found._asdict())


_RULES: dict[str, Rule] = {}


def rule(severity: Severity) -> Callable[[Callable[[Plan], Found]], Callable[[Plan], Found]]:
    """Enter a function as the rule of its name."""

    def enter(find: Callable[[Plan], Found]) -> Callable[[Plan], Found]:
        says = (find.__doc__ or "").partition("\n")[0]
        name = find.__name__
        _RULES[name] = Rule(name=name, severity=severity, says=says, find=find)
        return find

    return enter


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule; what refuses comes first, then by name."""
    from harness.preflight import (  # noqa: F401, PLC0415 - they enter themselves
        rules_callbacks,
        rules_compile,
        rules_data,
        rules_optimizer,
        rules_validation,
    )

    return tuple(
        sorted(_RULES.values(), key=lambda item: (SEVERITIES.index(item.severity), item.name))
    )


def check(plan: Plan) -> tuple[Finding, ...]:
    """Everything that is wrong with a plan; what refuses it comes first."""
    return tuple(found for item in rules() for found in item.findings(plan))
