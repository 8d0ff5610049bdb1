"""Keeps draws that failed, so that the next run tries them first."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from harness.errors import HarnessUsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.runner.profiles import scenario_name
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
        """The draws of a scenario that failed before and still fit what it draws.

        Raises:
            HarnessUsageError: The file is not one of ours.
        """
        file = self._file(scenario)
        try:
            kept = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return ()
        except (OSError, ValueError) as error:
            raise _damaged(file, str(error)) from error
        if not isinstance(kept, dict) or kept.get("format_version") != _FORMAT:
            raise _damaged(file, f"a file without format_version {_FORMAT}")
        keys = set(scenario.spec.vary)
        return tuple(draw for draw in kept.get("draws", ()) if set(draw) == keys)

    def add(self, scenario: Scenario, draw: Mapping[str, Any]) -> None:
        """Keep one more, unless it is there; the file is replaced whole or not at all.

        Where nothing can be written nothing is kept: the failure is what a person must see, and
        its text has the draw.
        """
        kept = self.draws(scenario)
        # As text: NaN is not equal to itself.
        if not self.writes or json.dumps(draw) in map(json.dumps, kept):
            return
        with contextlib.suppress(OSError):
            _replace(self._file(scenario), json.dumps([*kept, dict(draw)], indent=1))

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
