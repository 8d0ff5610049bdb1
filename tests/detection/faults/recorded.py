"""Which scenario noticed which fault at which draw, kept so that a test need not look for it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.detection.engine import Caught

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["read_caught", "write_caught"]

_FILE: Final = Path(__file__).with_name("caught.toml")


def read_caught() -> dict[str, Caught | None]:
    """What was recorded, by the name of the fault; None where nothing noticed it."""
    tables = tomllib.loads(_FILE.read_text(encoding="utf-8")) if _FILE.exists() else {}
    return {
        name: Caught(
            scenario=table["scenario"],
            expectation=table["expectation"],
            draw=json.loads(table["draw"]),
            issue=table.get("issue"),
            steps=table.get("steps"),
            elsewhere=tuple(table["elsewhere"]) if "elsewhere" in table else None,
        )
        if "scenario" in table
        else None
        for name, table in tables.items()
    }


def write_caught(found: Mapping[str, Caught | None]) -> None:
    """Add to what was recorded; the draw is JSON because TOML knows no null."""
    kept = read_caught() | dict(found)
    lines = ["# Written by `python -m tests.detection --record`.", ""]
    for name, caught in sorted(kept.items(), key=lambda item: item[0]):
        lines.append(f"[{name}]")
        if caught is None:
            lines += ["# Nothing notices it yet.", ""]
            continue
        lines += [
            f"scenario = {json.dumps(caught.scenario)}",
            f"expectation = {json.dumps(caught.expectation)}",
            f"draw = '{json.dumps(dict(caught.draw))}'",
            *([f"issue = {json.dumps(caught.issue)}"] if caught.issue else []),
            *([f"steps = {caught.steps}"] if caught.steps is not None else []),
            *(
                [f"elsewhere = {json.dumps(caught.elsewhere)}"]
                if caught.elsewhere is not None
                else []
            ),
            "",
        ]
    # Hunting takes hours: whatever ends it must leave what it had found.
    written = _FILE.with_suffix(".part")
    written.write_text("\n".join(lines), encoding="utf-8")
    written.replace(_FILE)
