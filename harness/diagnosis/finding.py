"""What a diagnosis says: findings in plain words, the way each run went, and a verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.trace.stop import Stop

__all__ = ["LEVELS", "Diagnosis", "Finding", "Level", "RunSummary"]

Level = Literal["problem", "warning", "note"]

LEVELS: Final[tuple[Level, ...]] = get_args(Level)
"""``problem``: the training failed, ended before its plan, or its result is not what it seems.
``warning``: it ran, and something in it did not do what it was written for. ``note``: worth
knowing; it never makes a verdict."""

Figure = str | float | int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found.

    Attributes:
        rule: Short and stable name of what was looked for.
        level: How bad it is.
        where: Which run: ``fit at train.py:31``.
        seen: What was seen, with its numbers; sentences.
        why: Why it matters; sentences.
        remedy: What to do; sentences.
        figures: The numbers by name, for programs.
    """

    rule: str
    level: Level
    where: str
    seen: str
    why: str
    remedy: str
    figures: Mapping[str, Figure] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """How one run went, planned against done.

    Attributes:
        where: ``fit at train.py:31``.
        source: What it read.
        planned_epochs: As asked for; None where the user's own loop decides.
        done_epochs: That came to their end.
        planned_steps: As far as they can be known.
        done_steps: Steps.
        stop: Why it ended.
        course: First and last values of what was logged.
    """

    where: str
    source: str
    planned_epochs: int | None
    done_epochs: int | None
    planned_steps: int | None
    done_steps: int
    stop: Stop
    course: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Everything that is said about a script.

    Attributes:
        command: What was run.
        environment: Versions.
        runs: In order of time.
        findings: The worst first.
        unjudged: Why nothing can be said; None where something can.
        ending: How the script itself ended, in a sentence.
        seconds: How long it ran.
        peak_bytes: Most resident memory.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str]
    runs: tuple[RunSummary, ...]
    findings: tuple[Finding, ...]
    unjudged: str | None
    ending: str
    seconds: float
    peak_bytes: int

    @property
    def status(self) -> int:
        """Exit status of the command: 0 nothing wrong, 1 findings, 2 could not judge."""
        if any(finding.level != "note" for finding in self.findings):
            return 1
        return 0 if self.unjudged is None else 2
