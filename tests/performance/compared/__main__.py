"""Counts wrong verdicts of `harness compare` on this machine.

``record`` measures an environment against itself, over and over, with the workers of the command.
``figures`` judges what was recorded by the rules of the command, as it is and with the second side
made slower: ratios are what is judged, so a slow-down by five per cent is a factor of 1.05.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.comparison.cache import Cache, default_cache
from harness.comparison.comparing import Plan, measure_and_judge, running_pairs
from harness.comparison.environments import parse_environment
from harness.comparison.pairs import Pair
from harness.comparison.preparing import prepare
from harness.statistics.verdict import Verdict
from tests.performance.counts import exact_share

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

EFFECTS = (0.0, 0.05, 0.10)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.performance.compared", description=__doc__
    )
    commands = parser.add_subparsers(dest="command", required=True)
    recording = commands.add_parser("record")
    recording.add_argument("scenario", type=Path)
    recording.add_argument("--comparisons", type=int, default=200)
    judging = commands.add_parser("figures")
    for command in (recording, judging):
        command.add_argument("--to" if command is recording else "file", type=Path)
        command.add_argument("--budget", type=float, default=60.0)
    options = parser.parse_args(arguments)
    if options.command == "record":
        record(options.scenario, options.to, options.comparisons, options.budget)
    else:
        print("\n".join(figures(options.file, options.budget)))
    return 0


def record(scenario: Path, to: Path, comparisons: int, budget: float) -> None:
    """Append so many comparisons of the environment with itself; each fills its budget."""
    here = prepare(parse_environment("."), Cache(default_cache()))
    for number in range(comparisons):
        pairs: list[dict[str, Any]] = []
        spent = 0.0
        plan = Plan(margin=0.05, budget_seconds=budget, seed=number)
        with running_pairs(here, here, scenario, plan) as measure:
            # The first pair of a comparison is thrown away.
            while spent < budget or len(pairs) < 2:
                pair, seconds = measure()
                spent += seconds if pairs else 0.0
                pairs.append({**asdict(pair), "seconds": seconds})
        with to.open("a", encoding="utf-8") as file:
            file.write(json.dumps(pairs) + "\n")
        print(f"{number + 1} of {comparisons}, {time.strftime('%H:%M')}", file=sys.stderr)


def figures(file: Path, budget: float) -> Iterator[str]:
    """Lines of a table: how often what is the same is called different, and what is slower is."""
    recorded = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    yield "| second side | called slower or hungrier | called better | not judged | pairs |"
    yield "|---|---|---|---|---|"
    for effect in EFFECTS:
        verdicts, pairs = [], 0
        for lines in recorded:
            found, used = judged(lines, effect, budget)
            verdicts.append(found)
            pairs += used
        counts = [
            str(exact_share(verdicts.count(verdict), len(verdicts)))
            for verdict in (Verdict.REGRESSION, Verdict.IMPROVEMENT, Verdict.COULD_NOT_JUDGE)
        ]
        what = f"{effect:.0%} slower" if effect else "the same"
        yield f"| {what} | {' | '.join(counts)} | {pairs / len(recorded):.0f} |"


def judged(lines: Sequence[dict[str, Any]], effect: float, budget: float) -> tuple[Verdict, int]:
    """The verdict on one recorded comparison with a slow-down put in, and the pairs it took."""
    found = iter(lines)

    def measure() -> tuple[Pair, float]:
        line = dict(next(found))
        seconds = line.pop("seconds")
        pair = Pair(**line)
        slower = {**pair.other, "step_seconds": pair.other["step_seconds"] * (1.0 + effect)}
        return replace(pair, other=slower), seconds

    plan = Plan(margin=0.05, budget_seconds=budget)
    pairs, results, _ = measure_and_judge(measure, plan)
    verdicts = [result.verdict for result in results]
    for verdict in (Verdict.REGRESSION, Verdict.IMPROVEMENT):
        if verdict in verdicts:
            return verdict, len(pairs)
    return (verdicts[0] if verdicts else Verdict.COULD_NOT_JUDGE), len(pairs)


if __name__ == "__main__":
    sys.exit(main())
