"""What the installed plugin costs a pytest session that does not use it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from tests.performance.interleaved import Measure, compare

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

ROUNDS = 30


def session(folder: Path, *options: str) -> Measure:
    """Starts pytest on one empty test; returns wall seconds of the whole process."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    environment = {**os.environ, "PYTEST_ADDOPTS": ""}

    def run() -> float:
        started = time.perf_counter()
        subprocess.run(command, cwd=folder, check=True, capture_output=True, env=environment)
        return time.perf_counter() - started

    return run


def test_unused_plugin_costs_little(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Prints pytest's start with and without the plugin, with an A/A control."""
    (tmp_path / "test_empty.py").write_text("def test_empty(): pass\n", encoding="utf-8")
    ratios = compare(
        {
            "without (-p no:harness)": session(tmp_path, "-p", "no:harness"),
            "without again (A/A)": session(tmp_path, "-p", "no:harness"),
            "with the plugin": session(tmp_path),
        },
        rounds=ROUNDS,
        base="without (-p no:harness)",
    )
    base, _, used = ratios
    with capsys.disabled():
        print(f"\n\nWall time of a pytest session with one empty test, {ROUNDS} rounds:")
        for ratio in ratios:
            print(ratio.line("ms", 1e3))
        added = base.cost * (used.ratio - 1) * 1e3
        limits = [base.cost * (end - 1) * 1e3 for end in (used.low, used.high)]
        print(f"  the plugin adds {added:.1f} ms [{limits[0]:.1f}, {limits[1]:.1f}]")
    assert used.pairs == ROUNDS
