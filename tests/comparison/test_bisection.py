"""The first bad candidate, or the first good one, with made-up verdicts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.comparison.bisection import Bisection, Candidate, bisect
from harness.comparison.commands import EnvironmentBroken
from harness.comparison.preparing import Prepared
from harness.comparison.verdicts import Finding, Mark
from harness.errors import HarnessUsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.comparison.verdicts import Probe

WORDS = {"g": Mark.GOOD, "b": Mark.BAD, "s": Mark.SKIP}


@dataclass
class MadeUp:
    """Judges by a letter for each candidate and item; ``x`` cannot be built."""

    truth: Mapping[str, str]
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def judge(self, prepared: Prepared, probes: Sequence[Probe]) -> tuple[Finding, ...]:
        """What the letters say."""
        place = int(prepared.name)
        items = tuple(probe.item for probe in probes) or tuple(self.truth)
        self.asked.append((prepared.name, tuple(probe.item for probe in probes)))
        letters = {item: self.truth[item][place] for item in items}
        if "x" in letters.values():
            message = "it does not build."
            raise EnvironmentBroken(message)
        return tuple(_finding(item, letter, place) for item, letter in letters.items())


def _finding(item: str, letter: str, place: int) -> Finding:
    mark = WORDS[letter]
    text = f"{item} fails on {place}" if mark is Mark.BAD else ""
    draw = {"seed": 7} if mark is Mark.BAD else None
    return Finding(item=item, mark=mark, reason=f"{item} is {mark}", text=text, draw=draw)


def _bisect(trial: MadeUp, *, good_first: bool) -> Bisection:
    count = len(next(iter(trial.truth.values())))
    line = [Candidate(name=f"v{place}", environment=str(place)) for place in range(count)]

    def prepared(candidate: Candidate) -> Prepared:
        return Prepared(
            name=candidate.environment, python=Path("python"), folder=Path(), identity=""
        )

    return bisect(line, good_first=good_first, trial=trial, prepare=prepared)


def test_the_first_bad_one() -> None:
    """With its failure."""
    found = _bisect(MadeUp({"property": "gggggbbb"}), good_first=True)

    assert [candidate.name for candidate in found.possible] == ["v5"]
    assert found.border.exact
    assert found.failure.text == "property fails on 5"
    assert found.items == ("property",)
    assert [judgement.candidate.name for judgement in found.judged[:2]] == ["v7", "v0"]


def test_the_first_good_one() -> None:
    """A mending is found alike; the failure is that of the last bad one."""
    found = _bisect(MadeUp({"property": "bbgggggg"}), good_first=False)

    assert [candidate.name for candidate in found.possible] == ["v2"]
    assert found.failure.text == "property fails on 1"


def test_what_does_not_build_is_passed_over() -> None:
    """And where it hides the border, all that it may be are named."""
    found = _bisect(MadeUp({"property": "ggxxbbbb"}), good_first=True)

    assert [candidate.name for candidate in found.possible] == ["v2", "v3", "v4"]
    assert not found.border.exact
    assert {judgement.reason for judgement in found.judged if judgement.mark is Mark.SKIP} == {
        "it does not build."
    }


def test_only_what_tells_the_ends_apart_is_followed() -> None:
    """An item that is bad at both ends would make every candidate bad."""
    trial = MadeUp(
        {"property": "gggggg", "known_issue[old]": "bbbbbb", "known_issue[new]": "gggbbb"}
    )
    found = _bisect(trial, good_first=True)

    assert [candidate.name for candidate in found.possible] == ["v3"]
    assert found.items == ("known_issue[new]",)
    assert found.left_out == ("known_issue[old]",)
    assert trial.asked[0] == ("5", ())
    assert trial.asked[1] == ("0", ("known_issue[old]", "known_issue[new]"))
    assert all(items == ("known_issue[new]",) for _, items in trial.asked[2:])


@pytest.mark.parametrize(
    ("truth", "said"),
    [
        (
            "gggg",
            (
                "--bad must be bad, got v3, which is good. Nothing fails there: --profile thorough "
                "draws more, or another one is bad.\nproperty is good"
            ),
        ),
        (
            "bbbb",
            (
                "--good must be good, got v0, which is bad. It fails there as at the bad end: "
                "choose a good end without this failure.\nproperty is bad"
            ),
        ),
        (
            "gggx",
            (
                "--bad must be bad, got v3, which is not judged. Choose an end that can be "
                "judged.\nit does not build."
            ),
        ),
        (
            "sggb",
            (
                "--good must be good, got v0, which is not judged. Choose an end that can be "
                "judged.\nproperty is skip"
            ),
        ),
    ],
)
def test_ends_are_checked_first(truth: str, said: str) -> None:
    """Nothing else is asked where they are wrong."""
    trial = MadeUp({"property": truth})
    with pytest.raises(HarnessUsageError) as raised:
        _bisect(trial, good_first=True)
    assert str(raised.value) == said
    assert {name for name, _ in trial.asked} <= {"0", "3"}
