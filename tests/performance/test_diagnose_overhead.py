"""What `harness diagnose` costs a training step of a tiny model, over the same script alone."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.performance.interleaved import compare
from tests.performance.observed_worker import STEPS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.performance.interleaved import Measure

ROUNDS = int(os.environ.get("HARNESS_DIAGNOSE_ROUNDS", "60"))


@contextlib.contextmanager
def worker(how: str, what: str, column: int) -> Iterator[Measure]:
    """A process that trains an epoch when it is asked to: it must not share what is wrapped."""
    command = [sys.executable, "-m", "tests.performance.observed_worker", how, what]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        asked, answers = process.stdin, process.stdout
        assert asked is not None
        assert answers is not None
        assert answers.readline() == "ready\n"

        def run() -> float:
            asked.write("go\n")
            asked.flush()
            return float(answers.readline().split()[column])

        yield run
        asked.close()


@pytest.mark.parametrize("what", ["fit", "loop"])
@pytest.mark.parametrize(("clock", "column"), [("wall", 0), ("CPU", 1)])
def test_observing_costs_little(
    what: str, clock: str, column: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prints the cost of an observed step as a multiple of a bare one, with an A/A control."""
    kinds = {"bare": "bare", "bare again (A/A)": "bare", "observed": "observed"}
    with contextlib.ExitStack() as stack:
        subjects = {
            name: stack.enter_context(worker(how, what, column)) for name, how in kinds.items()
        }
        ratios = compare(subjects, rounds=ROUNDS, base="bare")
    with capsys.disabled():
        print(f"\n\n{clock} time of a step of {what}, {ROUNDS} rounds of {STEPS} steps:")
        for ratio in ratios:
            print(ratio.line("us/step", 1e6))
    assert all(ratio.pairs == ROUNDS for ratio in ratios)
