"""Keeps draws that failed, so that the next run tries them first."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.spec.loaded import Scenario

__all__ = ["Found"]


@dataclass(frozen=True, slots=True)
class Found:
    """A folder with one JSON file per scenario: a list of draws.

    Attributes:
        folder: Where the files are, by area.
    """

    folder: Path

    def draws(self, scenario: Scenario) -> tuple[dict[str, Any], ...]:
        """The draws of a scenario that failed before and still fit what it draws."""
        file = self._file(scenario)
        try:
            kept = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return ()
        keys = set(scenario.spec.vary)
        return tuple(draw for draw in kept if isinstance(draw, dict) and set(draw) == keys)

    def add(self, scenario: Scenario, draw: Mapping[str, Any]) -> None:
        """Keep one more, unless it is there; the file is replaced whole or not at all."""
        kept = [*self.draws(scenario)]
        if json.dumps(dict(draw)) in {json.dumps(other) for other in kept}:
            return
        file = self._file(scenario)
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, suffix=".part")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump([*kept, dict(draw)], stream, indent=1)
        Path(name).replace(file)

    def _file(self, scenario: Scenario) -> Path:
        return self.folder / (scenario.area or "scenarios") / f"{scenario.id}.json"
