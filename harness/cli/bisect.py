"""What `harness bisect` does: find the release or revision with which a failure came or went."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.status import NOT_JUDGED, PASSED
from harness.comparison.bisection import Bisection, Candidate, bisect
from harness.comparison.cache import Cache, default_cache
from harness.comparison.checkouts import (
    commit_of,
    is_ancestor,
    repository_of,
    revisions_between,
    subject_of,
)
from harness.comparison.environments import parse_environment
from harness.comparison.interpreters import current
from harness.comparison.preparing import prepare
from harness.comparison.releases import final_releases, list_releases, releases_between
from harness.comparison.trials import CommandTrial, ScenarioTrial, uses_own_code
from harness.comparison.verdicts import Mark
from harness.errors import HarnessUsageError
from harness.spec.loader import load_scenario

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from harness.comparison.bisection import Judgement
    from harness.comparison.preparing import Prepared
    from harness.comparison.trials import Trial

__all__ = ["run_bisect"]


def run_bisect(options: argparse.Namespace) -> int:
    """Run the command; returns 0 where the answer is exact, else 2.

    Raises:
        HarnessUsageError: The ends are not what they should be, or there is nothing to judge by.
        SpecError: The scenario breaks rules.
    """
    cache = Cache(options.cache or default_cache())
    trial = _trial(options, cache)
    candidates, good_first = (
        _releases(options) if options.package is not None else _revisions(options)
    )
    tell = _teller(candidates, quiet=options.json)

    def prepared(candidate: Candidate) -> Prepared:
        parts = [candidate.environment, *([options.inside] if options.inside else [])]
        return prepare(parse_environment(",".join(parts)), cache, options.repository)

    _announce(options, candidates)
    found = bisect(candidates, good_first=good_first, trial=trial, prepare=prepared, tell=tell)
    if options.json:
        print(json.dumps(_plain(found), indent=2))
    else:
        print(_answer(found, _noun(options)))
    return PASSED if found.border.exact else NOT_JUDGED


def _trial(options: argparse.Namespace, cache: Cache) -> Trial:
    if (options.run is None) == (options.file is None):
        message = "bisect must have a scenario or --run, got both or neither."
        raise HarnessUsageError(message)
    if options.run is not None:
        return CommandTrial(command=options.run, timeout=options.timeout)
    # A file with mistakes is the caller's to mend, not a release that cannot be judged.
    load_scenario(options.file)
    keep = not options.fresh and not uses_own_code(options.file)
    return ScenarioTrial(
        file=options.file,
        profile=options.profile,
        timeout=options.timeout,
        cache=cache if keep else None,
    )


def _releases(options: argparse.Namespace) -> tuple[tuple[Candidate, ...], bool]:
    if options.releases is not None:
        known = final_releases([*options.releases.split(","), options.good, options.bad])
    else:
        known = list_releases(options.package, current())
    line = releases_between(known, options.good, options.bad)
    candidates = tuple(
        Candidate(name=release, environment=f"{options.package}=={release}") for release in line
    )
    return candidates, final_releases([options.good])[0] == line[0]


def _revisions(options: argparse.Namespace) -> tuple[tuple[Candidate, ...], bool]:
    if options.releases is not None:
        message = "--releases must go with --package, got a git repository."
        raise HarnessUsageError(message)
    repository = repository_of(options.repository or Path.cwd())
    good, bad = (commit_of(repository, name) for name in (options.good, options.bad))
    good_first = is_ancestor(repository, good, bad)
    old, new = (good, bad) if good_first else (bad, good)
    line = (old, *revisions_between(repository, old, new))
    candidates = tuple(
        Candidate(name=subject_of(repository, commit), environment=f"git:{commit}")
        for commit in line
    )
    return candidates, good_first


def _announce(options: argparse.Namespace, candidates: tuple[Candidate, ...]) -> None:
    if options.json:
        return
    what = options.run or str(options.file)
    print(f"{what} over {len(candidates)} {_noun(options)}s\n")


def _noun(options: argparse.Namespace) -> str:
    return f"{options.package} release" if options.package else "revision"


def _teller(candidates: tuple[Candidate, ...], *, quiet: bool) -> Callable[[Judgement], None]:
    width = max(len(candidate.name) for candidate in candidates)

    def tell(judgement: Judgement) -> None:
        reason = judgement.reason.splitlines()[0] if judgement.mark is not Mark.GOOD else ""
        line = f"  {judgement.candidate.name:<{width}}  {judgement.mark:<4}  {reason}".rstrip()
        print(line, file=sys.stderr if quiet else sys.stdout, flush=True)

    return tell


def _answer(found: Bisection, noun: str) -> str:
    kind = "bad" if found.good_first else "good"
    border = found.candidates[found.border.before].name
    possible = [candidate.name for candidate in found.possible]
    if found.border.exact:
        lines = [f"The first {kind} {noun} is {possible[0]}; {border} is still {_other(kind)}."]
    else:
        lines = [
            f"The first {kind} {noun} is one of these; all but the last could not be judged:",
            *(f"  {name}" for name in possible),
            f"{border} is still {_other(kind)}.",
        ]
    if found.left_out:
        names = ", ".join(found.left_out)
        lines.append(f"Left out, because it is not good at the good end: {names}.")
    failure = found.failure
    if failure.text:
        lines += ["", f"What fails on {failure.candidate.name}:", "", failure.text]
        if failure.shell_words:
            lines += ["", "To run it on that one, put this before the command:", ""]
            lines += [f"    {' '.join(failure.shell_words)}"]
    return "\n" + "\n".join(lines)


def _other(kind: str) -> str:
    return "good" if kind == "bad" else "bad"


def _plain(found: Bisection) -> dict[str, object]:
    return {
        "change": "first bad" if found.good_first else "first good",
        "possible": [candidate.name for candidate in found.possible],
        "exact": found.border.exact,
        "before": found.candidates[found.border.before].name,
        "items": list(found.items),
        "left_out": list(found.left_out),
        "judged": [judgement.to_json() for judgement in found.judged],
        "failure": {"name": found.failure.candidate.name, "text": found.failure.text},
    }
