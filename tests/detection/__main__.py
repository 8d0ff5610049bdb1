"""Prints which scenario notices which fault: `python -m tests.detection`."""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.detection.engine import Hunt, area_scenarios, elsewhere, hunt, replay
from tests.detection.faults.patching import AREAS, Fault, NotHereError
from tests.detection.faults.recorded import read_caught, write_caught
from tests.detection.faults.table import FAULTS

if TYPE_CHECKING:
    from collections.abc import Sequence


_DRAWS_ELSEWHERE: Final = 2


def main(arguments: Sequence[str]) -> int:
    """Hunt for faults; 1 when one is not noticed by its own area, or its scenario fails anyway."""
    options = _parser().parse_args(arguments)
    if options.recorded:
        _say(recorded_table())
        return 0
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    faults = [
        fault
        for fault in FAULTS
        if (not options.area or fault.area in options.area)
        and (not options.fault or fault.name in options.fault)
    ]
    lines, hunts, bad = [_head(options.all_areas)], [], 0
    for fault in faults:
        try:
            found = hunt(fault, area_scenarios(fault.area))
        except NotHereError as error:
            _say(f"-- {fault.name}: not in this Keras: {error}")
            continue
        alarm = _fails_anyway(found)
        bad += found.caught is None or alarm
        hunts.append(found)
        others = _others(fault) if options.all_areas else None
        if options.record and not alarm and (found.caught is None or found.caught.replays):
            kept = found.caught and replace(found.caught, elsewhere=_kept(fault, others))
            write_caught({fault.name: kept})
        lines.append(_row(fault, found, others, alarm=alarm))
        _say(lines[-1])
    if options.markdown:
        options.markdown.write_text("\n".join([*lines, "", _sum(hunts), ""]), encoding="utf-8")
    _say(_sum(hunts))
    return 1 if bad else 0


def recorded_table() -> str:
    """What was recorded of every fault, as a table for a document; nothing is run."""
    kept = read_caught()
    names = ("fault", "area", "what is wrong", "caught by", "steps", "noticed by other areas")
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    for fault in FAULTS:
        caught = kept.get(fault.name)
        text = "**nothing**" if caught is None else f"`{caught.text}`"
        if caught is not None and caught.issue is not None:
            text += f" ({caught.issue})"
        cells = (
            fault.name,
            fault.area,
            fault.description.replace("|", "&#124;"),
            text,
            "" if caught is None or caught.steps is None else str(caught.steps),
            _areas(None if caught is None else caught.elsewhere),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _areas(areas: tuple[str, ...] | None) -> str:
    return "" if areas is None else ", ".join(areas) or "none"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.detection", description=__doc__)
    parser.add_argument("--area", action="append", choices=AREAS, help="only faults of this area")
    parser.add_argument("--fault", action="append", help="only this fault")
    parser.add_argument(
        "--all-areas",
        action="store_true",
        help=f"say which other areas notice it, too, by {_DRAWS_ELSEWHERE} draws of each (slow)",
    )
    parser.add_argument(
        "--recorded", action="store_true", help="print what was recorded, and hunt for nothing"
    )
    parser.add_argument("--markdown", type=Path, help="write the table to this file as well")
    parser.add_argument(
        "--record",
        action="store_true",
        help="keep what was found for tests/detection/test_faults.py",
    )
    return parser


def _fails_anyway(found: Hunt) -> bool:
    """Whether the draw that noticed the fault fails without it."""
    caught = found.caught
    if caught is None or not caught.replays:
        return False
    return bool(replay(caught))


def _others(fault: Fault) -> tuple[str, ...]:
    recorded = [caught for caught in read_caught().values() if caught is not None]
    return elsewhere(fault, recorded, draws=_DRAWS_ELSEWHERE)


def _kept(fault: Fault, others: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """What was found, or what is known already where nobody has looked this time."""
    before = read_caught().get(fault.name)
    return before.elsewhere if others is None and before is not None else others


def _say(text: str) -> None:
    print(text, flush=True)


def _head(all_areas: bool) -> str:  # noqa: FBT001 - one caller
    names = ["fault", "area", "what is wrong", "caught by", "steps", "CPU seconds"]
    names += ["noticed by other areas"] if all_areas else []
    return f"| {' | '.join(names)} |\n|{'---|' * len(names)}"


def _row(fault: Fault, found: Hunt, others: tuple[str, ...] | None, *, alarm: bool) -> str:
    caught = "**nothing**" if found.caught is None else found.caught.text.replace("|", "/")
    if found.caught is not None and found.caught.issue is not None:
        caught += f" ({found.caught.issue})"
    if alarm:
        caught = f"**fails without the fault**: {caught}"
    cells: list[Any] = [fault.name, fault.area, fault.description, caught, found.steps]
    cells.append(f"{found.seconds:.1f}")
    cells += [] if others is None else [_areas(others)]
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def _sum(hunts: Sequence[Hunt]) -> str:
    caught = [found for found in hunts if found.caught is not None]
    if not caught:
        return f"0 of {len(hunts)} faults were noticed."
    return (
        f"{len(caught)} of {len(hunts)} faults were noticed, after "
        f"{statistics.median(found.seconds for found in caught):.1f} CPU seconds and "
        f"{statistics.median(found.steps for found in caught):.0f} training steps in the median, "
        f"at most {max(found.seconds for found in caught):.0f} seconds."
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
