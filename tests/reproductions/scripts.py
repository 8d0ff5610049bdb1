"""The scripts of `docs/reproductions`: what each shows, and what it says when it is run."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

__all__ = ["FOLDER", "Report", "Verdict", "covered", "run", "scripts", "summary", "table"]

_LIST: Final = Path(__file__).with_name("issues.toml")
_LONGEST: Final = 120.0
"""Seconds after which a script is stopped: most of what one takes is the start of TensorFlow."""

FOLDER: Final = Path(__file__).parents[2] / "docs" / "reproductions"
"""Where the scripts are."""

Verdict = Literal["present", "absent", "broken"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one script said.

    Attributes:
        script: Its name, without the ending.
        summary: The first line of its docstring.
        verdict: Whether the defect is there, or that the script did not get so far as to tell.
        output: What it printed, on either stream.
    """

    script: str
    summary: str
    verdict: Verdict
    output: str


def scripts() -> tuple[Path, ...]:
    """Every script, by name."""
    return tuple(sorted(FOLDER.glob("*.py")))


def covered() -> dict[str, list[str]]:
    """The known issues that each script shows, as ``area/scenario::known issue``."""
    return tomllib.loads(_LIST.read_text("utf-8"))


def summary(script: Path) -> str:
    """The first line of a script's docstring."""
    return (ast.get_docstring(ast.parse(script.read_text("utf-8"))) or "").partition("\n")[0]


def run(script: Path) -> Report:
    """Run a script in an interpreter of its own."""
    command = [sys.executable, str(script)]
    settings = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        ended = subprocess.run(
            command,
            capture_output=True,
            check=False,
            env={**os.environ, **settings},
            text=True,
            timeout=_LONGEST,
        )
    except subprocess.TimeoutExpired:
        verdict: Verdict = "broken"
        output = f"stopped after {_LONGEST:.0f} seconds"
    else:
        verdict = _verdict(ended.returncode, ended.stdout)
        output = ended.stdout + ended.stderr
    return Report(script=script.stem, summary=summary(script), verdict=verdict, output=output)


def _verdict(status: int, printed: str) -> Verdict:
    """A script that fails by itself ends with status 1 too, but before it says what it got."""
    lines = printed.splitlines()
    if [line.partition(":")[0] for line in lines[-2:]] != ["got", "expected"]:
        return "broken"
    verdicts: dict[int, Verdict] = {0: "absent", 1: "present"}
    return verdicts.get(status, "broken")


def table(reports: tuple[Report, ...]) -> str:
    """The reports as a table in Markdown."""
    rows = [f"| `{each.script}` | {each.summary} | {each.verdict} |" for each in reports]
    return "\n".join(["| script | what it shows | defect |", "|---|---|---|", *rows])
