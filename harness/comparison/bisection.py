"""From a good and a bad end to the first candidate at which a failure comes, or goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from harness.comparison.commands import EnvironmentBroken
from harness.comparison.search import Border, search
from harness.comparison.verdicts import Mark
from harness.errors import HarnessUsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.comparison.preparing import Prepared
    from harness.comparison.trials import Trial
    from harness.comparison.verdicts import Finding, Probe

__all__ = ["Bisection", "Candidate", "Judgement", "bisect"]

_AS: Final = {Mark.GOOD: "good", Mark.BAD: "bad", Mark.SKIP: "not judged"}

_ONE_BAD: Final = (Mark.BAD, Mark.SKIP, Mark.GOOD)
"""A candidate is bad where one item is, and good where all are."""

_ONE_GOOD: Final = (Mark.GOOD, Mark.BAD, Mark.SKIP)
"""The good end needs one item to be followed; the others are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A release or a revision.

    Attributes:
        name: What it is called in the report.
        environment: The environment to judge it in, as `parse_environment` reads it.
    """

    name: str
    environment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What was found out about one candidate.

    Attributes:
        position: Its place on the line.
        candidate: The candidate.
        mark: Good, bad, or nothing to be said.
        reason: Why, in one line.
        text: The failure in full; empty where there is none.
        shell_words: What a command needs before it to see the same.
    """

    position: int
    candidate: Candidate
    mark: Mark
    reason: str
    text: str = ""
    shell_words: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values for ``--json``."""
        return {"name": self.candidate.name, "mark": self.mark.value, "reason": self.reason}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bisection:
    """Where the failure comes or goes.

    Attributes:
        candidates: The line, in order.
        good_first: Whether the failure comes along the line; else it goes.
        border: Where.
        judged: What was asked, in the order it was asked.
        items: What of the scenario tells the ends apart.
        left_out: What is bad at both ends, or could not be judged at the good one.
    """

    candidates: tuple[Candidate, ...]
    good_first: bool
    border: Border
    judged: tuple[Judgement, ...]
    items: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def possible(self) -> tuple[Candidate, ...]:
        """The candidates that may be the first; one alone where the answer is exact."""
        places = (*self.border.between, self.border.after)
        return tuple(self.candidates[place] for place in places)

    @property
    def failure(self) -> Judgement:
        """The bad candidate next to the border."""
        place = self.border.after if self.good_first else self.border.before
        return next(found for found in self.judged if found.position == place)


@dataclass(slots=True)
class _Line:
    """Candidates and what is known of them so far."""

    candidates: Sequence[Candidate]
    trial: Trial
    prepare: Callable[[Candidate], Prepared]
    tell: Callable[[Judgement], None]
    judged: list[Judgement] = field(default_factory=list)

    def ask(
        self, place: int, probes: Sequence[Probe], order: Sequence[Mark] = _ONE_BAD
    ) -> tuple[Finding, ...]:
        """Judge one; what cannot be built or run says nothing, and is told as such."""
        candidate = self.candidates[place]
        findings: tuple[Finding, ...] = ()
        words: tuple[str, ...] = ()
        try:
            prepared = self.prepare(candidate)
            words = prepared.shell_words()
            findings = self.trial.judge(prepared, probes)
            mark, reason, text = _summed_up(findings, order)
        except EnvironmentBroken as error:
            mark, reason, text = Mark.SKIP, str(error), ""
        judgement = Judgement(
            position=place,
            candidate=candidate,
            mark=mark,
            reason=reason,
            text=text,
            shell_words=words,
        )
        self.judged.append(judgement)
        self.tell(judgement)
        return findings

    def marks(self) -> dict[int, Mark]:
        """What is known, by position."""
        return {judgement.position: judgement.mark for judgement in self.judged}


def bisect(
    candidates: Sequence[Candidate],
    *,
    good_first: bool,
    trial: Trial,
    prepare: Callable[[Candidate], Prepared],
    tell: Callable[[Judgement], None] = lambda _: None,
) -> Bisection:
    """Find where a failure comes along a line of candidates, or where it goes.

    The bad end is judged in full. What fails there is then followed: the draw that failed, and the
    expectation it broke, so that no luck of a draw decides and a candidate costs one run. An item
    that is bad at the good end as well is another matter and left out.

    Args:
        candidates: The line; one end is good, the other bad.
        good_first: Which of them.
        trial: Judges a candidate.
        prepare: Builds a candidate's environment.
        tell: Takes each judgement as it is made.

    Raises:
        HarnessUsageError: The good end is not good, or the bad end is not bad.
    """
    line = _Line(candidates, trial, prepare, tell)
    last = len(candidates) - 1
    good, bad = (0, last) if good_first else (last, 0)
    failing = [found for found in line.ask(bad, ()) if found.mark is Mark.BAD]
    _require(line.judged[-1], Mark.BAD)
    asked = [found.probe() for found in failing]
    at_good = {found.item: found for found in line.ask(good, asked, _ONE_GOOD)}
    probes = [
        probe for probe in asked if probe.item in at_good and at_good[probe.item].mark is Mark.GOOD
    ]
    if not probes:
        _require(line.judged[-1], Mark.GOOD)
    while isinstance(place := search(len(candidates), line.marks()), int):
        line.ask(place, probes)
    return Bisection(
        candidates=tuple(candidates),
        good_first=good_first,
        border=place,
        judged=tuple(line.judged),
        items=tuple(probe.item for probe in probes),
        left_out=tuple(probe.item for probe in asked if probe not in probes),
    )


def _summed_up(findings: Sequence[Finding], order: Sequence[Mark]) -> tuple[Mark, str, str]:
    """The first of these marks that an item has, with what those items say."""
    for mark in order:
        found = [finding for finding in findings if finding.mark is mark]
        if found:
            text = "\n\n".join(finding.text for finding in found if finding.text)
            return mark, "; ".join(finding.reason for finding in found), text
    return Mark.SKIP, "there is nothing to judge", ""


def _require(judgement: Judgement, mark: Mark) -> None:
    if judgement.mark is mark:
        return
    if judgement.mark is Mark.SKIP:
        remedy = "Choose an end that can be judged."
    elif mark is Mark.BAD:
        remedy = "Nothing fails there: --profile thorough draws more, or another one is bad."
    else:
        remedy = "It fails there as at the bad end: choose a good end without this failure."
    name = judgement.candidate.name
    message = f"--{mark} must be {mark}, got {name}, which is {_AS[judgement.mark]}. {remedy}"
    whole = f"{message}\n{judgement.reason}"
    raise HarnessUsageError(whole)
