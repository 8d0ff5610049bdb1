"""What a process of its own costs a run, and that hundreds of deaths leave nothing behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from harness.isolation.client import Server
from harness.isolation.training import IsolatedTraining
from harness.spec.pipeline import PipelineSpec
from harness.trace import StopReason, read_trace
from harness.trace.recording import Recording
from tests.isolation.leftovers import comes_true, descriptors, is_gone
from tests.performance.interleaved import Measure, compare

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).parents[2]
PAIRS = 7
RUNS = 200
CHILD_KILLS = 100
PARENT_KILLS = 20
MOST_TIME, MOST_MEMORY = 1 / 5, 0.6

TINY = {
    "data": {"kind": "linear_regression", "examples": 32, "features": 4, "batch_size": 8},
    "model": {"kind": "mlp", "units": [1]},
    "training": {"kind": "fit", "epochs": 2},
}

COLD = """
import keras, numpy as np
keras.utils.set_random_seed(0)
inputs = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
targets = inputs @ np.array([[1.0], [2.0], [3.0], [4.0]], "float32")
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
history = model.fit(inputs, targets, batch_size=8, epochs=2, verbose=0)
assert len(history.history["loss"]) == 2
"""

PARENT = """
import sys
from harness.isolation.client import Server
from harness.isolation.training import IsolatedTraining
from harness.spec.pipeline import PipelineSpec
from harness.trace import write_trace
from harness.trace.recording import Recording
server = Server("fork")
print(server.pid, server._folder, flush=True)
train, number = IsolatedTraining(server=lambda: server), 0
while True:
    write_trace(train(PipelineSpec.model_validate(%r), Recording()), f"{sys.argv[1]}/{number}")
    print(number, flush=True)
    number += 1
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that forks."""
    server = Server("fork")
    yield server
    server.close()


def test_an_isolated_run_against_a_cold_one(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prints both ratios; memory is the peak of resident memory, shared pages included."""
    train, spec = IsolatedTraining(server=lambda: server), PipelineSpec.model_validate(TINY)
    peaks: dict[str, list[float]] = {"cold": [], "isolated": []}

    def isolated() -> float:
        started = time.perf_counter()
        trace = train(spec, Recording())
        seconds = time.perf_counter() - started
        assert trace.stop.reason is StopReason.COMPLETED
        peaks["isolated"].append(trace.resources.peak_rss_bytes)
        return seconds

    def cold() -> float:
        started = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-c", COLD], stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        peaks["cold"].append(usage.ru_maxrss * 1024)
        return seconds

    times = compare({"cold": cold, "isolated": isolated}, rounds=PAIRS, base="cold")
    of_cold, of_isolated = iter(peaks["cold"]), iter(peaks["isolated"])
    kept: dict[str, Measure] = {
        "cold": lambda: next(of_cold),
        "isolated": lambda: next(of_isolated),
    }
    memory = compare(kept, rounds=PAIRS, base="cold")

    with capsys.disabled():
        print("\n\nan isolated tiny fit against a cold `python -c` of plain Keras")
        for ratio in times:
            print(ratio.line("s"))
        for ratio in memory:
            print(ratio.line("MiB", 1 / (1 << 20)))
    assert times[1].ratio <= MOST_TIME
    assert memory[1].ratio <= MOST_MEMORY


def test_runs_in_a_row_leave_nothing(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """No zombie, no descriptor, no folder after two hundred."""
    train, spec = IsolatedTraining(server=lambda: server), PipelineSpec.model_validate(TINY)
    train(spec, Recording())
    ours, theirs = descriptors(), psutil.Process(server.pid).num_fds()

    for _ in range(RUNS):
        assert train(spec, Recording()).stop.reason is StopReason.COMPLETED

    process = psutil.Process(server.pid)
    leaked = len(descriptors() - ours), process.num_fds() - theirs
    left = process.children(), psutil.Process().children()
    with capsys.disabled():
        print(f"\n\n{RUNS} isolated runs in a row: {leaked} descriptors leaked here and there")
        print(f"  {len(left[0])} children of the server, {len(left[1])} of ours, the server itself")
    assert leaked == (0, 0)
    assert left[0] == []
    assert [child.pid for child in left[1]] == [server.pid]
    assert server.scratch() == []


@dataclass(slots=True)
class _Killer:
    """A clock that kills the runs of a server while somebody looks at it.

    Attributes:
        server: Whose runs.
        delay: Seconds from the first look, or from the first step that is reported.
        report: Where steps are reported; None counts from the first look.
    """

    server: Server
    delay: float
    report: Path | None
    started: float | None = None

    def __call__(self) -> float:
        now = time.monotonic()
        if self.started is None and (self.report is None or _reported(self.report)):
            self.started = now
        if self.started is not None and now >= self.started + self.delay:
            for child in psutil.Process(self.server.pid).children():
                with suppress(psutil.Error):
                    child.send_signal(signal.SIGKILL)
        return now


def _reported(report: Path) -> int:
    text = report.read_text("utf-8") if report.exists() else ""
    return int(text) if text else 0


def test_killed_runs_lose_nothing(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run is killed at a random moment; each step that it had reported is in its trace."""
    dice = random.Random(0)
    early, steps = 0, 0
    for number in range(CHILD_KILLS):
        report = tmp_path / str(number)
        callback = {"kind": "import", "import": "tests.isolation.reports:reporter"}
        spec = PipelineSpec.model_validate(
            {
                **TINY,
                "training": {"kind": "fit", "epochs": 5000},
                "callbacks": [{**callback, "arguments": {"path": str(report)}}],
            }
        )
        # Every other one while it is built or traced, the rest while it trains.
        clock = _Killer(server, dice.uniform(0.0, 0.6), None if number % 2 else report)

        trace = IsolatedTraining(server=lambda: server, clock=clock)(spec, Recording())

        assert len(trace.steps) - _reported(report) in {0, 1}
        assert trace.stop.reason is StopReason.KILLED
        early += len(trace.steps) == 0
        steps += len(trace.steps)
    with capsys.disabled():
        print(f"\n\n{CHILD_KILLS} runs killed at random moments, {early} before the first step:")
        print(f"  {steps} steps done, each is in its trace")
    assert psutil.Process(server.pid).children() == []
    assert server.scratch() == []


def test_killed_parents_leave_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What they had reported can be read; server, run and folder are gone."""
    dice = random.Random(1)
    read = 0
    for number in range(PARENT_KILLS):
        folder = tmp_path / str(number)
        folder.mkdir()
        parent = subprocess.Popen(
            [sys.executable, "-c", PARENT % TINY, str(folder)],
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert parent.stdout is not None
        with parent, parent.stdout:
            pid, scratch = parent.stdout.readline().split()
            time.sleep(dice.uniform(0.0, 3.0))
            with suppress(psutil.Error):
                children = [child.pid for child in psutil.Process(int(pid)).children()]
            parent.kill()
            reported = parent.stdout.read().split()
        for name in reported:
            assert len(read_trace(folder / name).steps) == 8
            read += 1
        assert comes_true(lambda pid=pid: is_gone(int(pid)))  # type: ignore[misc]
        assert all(comes_true(lambda child=child: is_gone(child)) for child in children)  # type: ignore[misc]
        assert not Path(scratch).exists()
    with capsys.disabled():
        print(f"\n\n{PARENT_KILLS} parents killed at random moments: nothing is left")
        print(f"  {read} traces had been reported, each can be read")
