"""What the bundled scenarios cost as a whole, in the quick profile."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

CHECKOUT = Path(__file__).parents[2]


def test_all_scenarios_in_the_quick_profile(capsys: pytest.CaptureFixture[str]) -> None:
    """Prints the wall time of one whole session in a fresh process, and what came out of it."""
    command = [sys.executable, "-m", "pytest", "scenarios", "-q", "--harness-profile=quick"]
    started = time.perf_counter()
    session = subprocess.run(command, cwd=CHECKOUT, check=False, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    with capsys.disabled():
        print(f"\n\npytest scenarios/, profile quick: {seconds:.0f} s")
        print(f"  {session.stdout.strip().splitlines()[-1]}")
    assert session.returncode == 0, session.stdout
