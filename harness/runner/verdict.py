"""What came out of one scenario, as data; text is made at the edge."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.invariants.base import Violation
    from harness.runner.figures import ScenarioFigures
    from harness.spec.loaded import Scenario
    from harness.spec.pipeline import PipelineSpec
    from harness.trace import Stop

__all__ = ["Failure", "Outcome", "Verdict"]


class Outcome(StrEnum):
    """What came out.

    PASSED: everything that was drawn holds. FAILED: a run breaks an expectation. KNOWN_ISSUE: a
    defect of a released version shows, as it should. FIXED: it no longer shows, so the scenario
    must stop excusing it. NOT_JUDGED: nothing can be said, and the reason says why. SKIPPED: the
    scenario is not about the versions that are installed.
    """

    PASSED = "passed"
    FAILED = "failed"
    KNOWN_ISSUE = "known_issue"
    FIXED = "fixed"
    NOT_JUDGED = "not_judged"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One run that broke one expectation.

    Attributes:
        expectation: Its id.
        violations: Where the run broke it, the first wrong step first.
        draw: What was drawn, by dotted key.
        pipeline: What was run.
        stop: Why that run ended.
        also: Ids of the other expectations that the same run breaks.
    """

    expectation: str
    violations: tuple[Violation, ...]
    draw: Mapping[str, Any]
    pipeline: PipelineSpec
    stop: Stop
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came out of one scenario, or of one of its known issues.

    Attributes:
        scenario: What was judged.
        outcome: What came out.
        failure: The smallest run that fails, or the first one where failing is a matter of luck;
            None when nothing failed.
        reason: Why it could not be judged, or which issue was shown or is gone.
        issue: Id of the known issue this is about; None for the scenario itself.
        examples: Pipelines that were run and judged.
        seed: Where the draws started; None when nothing was drawn.
        stop: Why the last run ended.
        versions: What was installed.
        unstable: The run that failed passed when it was repeated from a fresh pipeline.
        figures: What the runs leave behind for a history; None when nothing was drawn.
    """

    scenario: Scenario
    outcome: Outcome
    failure: Failure | None = None
    reason: str | None = None
    issue: str | None = None
    examples: int = 0
    seed: int | None = None
    stop: Stop | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    unstable: bool = False
    figures: ScenarioFigures | None = None
