"""Runs the tools that environments are made with, and says what they said when they fail."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Final

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["EnvironmentBroken", "NothingToMeasure", "run_tool"]

_LINES: Final = 15
"""Of what a tool printed, the last ones say why it failed."""


class EnvironmentBroken(HarnessError):  # noqa: N818 - reads as what it is
    """An environment cannot be built, or nothing can run in it; bisection passes over it."""


class NothingToMeasure(EnvironmentBroken):
    """A scenario is not about this machine, or not about what is installed."""


def run_tool(
    command: Sequence[str | Path],
    what: str,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    """What a tool wrote to standard output.

    Args:
        command: The tool and its arguments.
        what: What it is asked to do, to follow "must": ``install keras==3.14.0``.
        cwd: Where it runs.
        env: Its whole environment; None hands on ours.

    Raises:
        EnvironmentBroken: It is not there, or ended with a status other than 0.
    """
    name = str(command[0]).rpartition("/")[2]
    try:
        done = subprocess.run(  # noqa: S603 - put together from an environment's specification
            [str(part) for part in command],
            cwd=cwd,
            env=None if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        message = f"{name} must {what}, got {error}."
        raise EnvironmentBroken(message) from error
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing on its way out").splitlines()
        message = f"{name} must {what}, got status {done.returncode}:\n" + "\n".join(
            f"  {line}" for line in said[-_LINES:]
        )
        raise EnvironmentBroken(message)
    return done.stdout
