"""What reading and validating all bundled scenario files costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

SCENARIOS = Path(__file__).parents[2] / "scenarios"
ROUNDS = 10

PROGRAM = """
import sys, time
started = time.perf_counter()
from pathlib import Path
from harness.spec.loader import load_scenario
files = sorted(Path(sys.argv[1]).rglob("*.toml"))
imported = time.perf_counter()
for file in files:
    load_scenario(file)
print(len(files), imported - started, time.perf_counter() - imported)
"""


def test_all_scenario_files_load_fast(capsys: pytest.CaptureFixture[str]) -> None:
    """Prints import and load time in a fresh process; medians over several processes."""
    rows = []
    for _ in range(ROUNDS):
        output = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(SCENARIOS)],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        rows.append([float(part) for part in output.split()])
    files, imports, loads = (median(column) for column in zip(*rows, strict=True))
    with capsys.disabled():
        print(
            f"\n\n{files:.0f} scenario files: import {imports * 1e3:.0f} ms, "
            f"read and validate {loads * 1e3:.0f} ms (medians of {ROUNDS} fresh processes)"
        )
    assert files > 0
