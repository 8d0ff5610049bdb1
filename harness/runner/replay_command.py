"""The command that runs one draw again."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.spec.loaded import Scenario

__all__ = ["replay_command"]

_WIDTH: Final = 96


def replay_command(scenario: Scenario, draw: Mapping[str, Any]) -> str:
    """``harness run FILE --draw JSON``, quoted for a POSIX shell.

    A long draw goes over several lines, one key a line: inside the quotes that is white space of
    the JSON, so the whole can still be pasted. NaN and infinities are written as Python reads them.
    """
    command = f"harness run {shlex.quote(scenario.path)}"
    if not draw:
        return command
    short = f"{command} --draw {shlex.quote(json.dumps(draw))}"
    if len(short) <= _WIDTH:
        return short
    pairs = ",\n    ".join(f"{json.dumps(key)}: {json.dumps(draw[key])}" for key in draw)
    text = f"{{\n    {pairs}}}"
    return f"{command} --draw {shlex.quote(text)}"
