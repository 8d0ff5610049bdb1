"""Keeps draws that failed, so that the next run tries them first."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from harness.runner.profiles import scenario_name
from harness.spec.vary import WHOLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.spec.loaded import Scenario

__all__ = ["Found"]

_FORMAT: Final = 1
_MOST: Final = 20
"""Draws kept for one scenario; the oldest go first."""


@dataclass(frozen=True, slots=True)
class Found:
    """A folder with one JSON file per scenario: the draws that failed.

    Attributes:
        folder: Where the files are, by area.
        writes: Whether new ones are kept; else they are only read.
    """

    folder: Path
    writes: bool = True

    def draws(self, scenario: Scenario) -> tuple[dict[str, Any], ...]:
        """The draws of a scenario that failed before; none where the file is not one of ours.

        Draws of other keys than the scenario's, kept before the file was edited, are left out.
        """
        try:
            kept = json.loads(self._file(scenario).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return ()
        if not isinstance(kept, dict) or kept.get("format_version") != _FORMAT:
            return ()
        drawn = kept.get("draws")
        whole = WHOLE in scenario.spec.vary
        keys = set(scenario.spec.vary) - {WHOLE}
        return tuple(
            draw
            for draw in (drawn if isinstance(drawn, list) else ())
            if isinstance(draw, dict) and (set(draw) == keys or (whole and set(draw) >= keys))
        )

    def add(self, scenario: Scenario, draw: Mapping[str, Any]) -> None:
        """Keep one more, unless it is there; the file is replaced whole or not at all.

        Where nothing can be written nothing is kept: the failure is what a person must see, and
        its text has the draw.
        """
        kept = self.draws(scenario)
        # As text: NaN is not equal to itself.
        if not self.writes or json.dumps(draw) in map(json.dumps, kept):
            return
        content = {"format_version": _FORMAT, "draws": [*kept, dict(draw)][-_MOST:]}
        with suppress(OSError):
            _replace(self._file(scenario), json.dumps(content, indent=1))

    def _file(self, scenario: Scenario) -> Path:
        return self.folder / f"{scenario_name(scenario)}.json"


def _replace(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(name).replace(file)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
