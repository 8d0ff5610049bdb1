"""Sessions of pytest with isolated scenarios: they survive what the scenarios do not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.isolation.leftovers import comes_true, is_gone

CHECKOUT = Path(__file__).parents[2]

SCENARIO = """
title = "Steps are made whatever becomes of the process"

[pipeline]
data = { kind = "linear_regression", examples = 16, features = 4, batch_size = 4 }
model = { kind = "mlp", units = [1] }
training = { kind = "fit", epochs = 2 }
compile = { run_eagerly = true }

[[pipeline.callbacks]]
kind = "import"
import = "tests.isolation.deaths:callback"
arguments = { way = "WAY", place = "PLACE", marker = "MARKER" }

[limits]
isolation = "process"

[[expect]]
kind = "bound"
figure = "steps"
at_least = 8
because = "two epochs of four batches"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for scenarios."""
    folder = tmp_path / "scenarios"
    folder.mkdir()
    return folder


def write(folder: Path, name: str, way: str, place: str = "callback") -> Path:
    """A scenario that ends in some way; where the place is nowhere, it does not."""
    marker = folder.parent / f"{name}.there"
    text = SCENARIO.replace("WAY", way).replace("PLACE", place).replace("MARKER", str(marker))
    (folder / f"{name}.toml").write_text(text, "utf-8")
    return marker


def command(folder: Path, *options: str) -> list[str]:
    """A session of its own."""
    loaded = ("-p", "harness.plugin", "-p", "no:cacheprovider", "-p", "no:randomly")
    return [sys.executable, "-m", "pytest", *loaded, *options, str(folder)]


def environment() -> dict[str, str]:
    """Ours, without what a session of ours has put there."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTEST"))
    } | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(CHECKOUT)}


def test_a_parallel_session_survives(folder: Path) -> None:
    """Each worker has a server; what dies is named, what does not passes."""
    pytest.importorskip("xdist")
    write(folder, "dies", "segmentation_fault")
    write(folder, "lives", "os_exit", "nowhere")

    session = subprocess.run(
        command(folder, "-p", "xdist", "-n", "2", "-q"),
        cwd=CHECKOUT,
        env=environment(),
        capture_output=True,
        check=False,
        text=True,
        timeout=300,
    )

    assert "1 failed, 1 passed" in session.stdout, session.stdout + session.stderr
    assert "SIGSEGV ended the process" in session.stdout
    assert "Fatal Python error: Segmentation fault" in session.stdout


@pytest.mark.usefixtures("ctrl_c_arrives")
def test_an_interrupted_session_ends_what_it_runs(folder: Path) -> None:
    """Ctrl-C goes to the session alone; it says what it was doing, and nothing is left."""
    marker = write(folder, "stuck", "deadlock")
    session = subprocess.Popen(
        command(folder, "-x"), cwd=CHECKOUT, env=environment(), stdout=subprocess.PIPE, text=True
    )
    assert session.stdout is not None
    with session, session.stdout:
        assert comes_true(marker.exists, 200.0)
        started = psutil.Process(session.pid).children(recursive=True)
        assert len(started) == 2

        session.send_signal(signal.SIGINT)
        said = session.stdout.read()

    assert session.returncode == pytest.ExitCode.INTERRUPTED, said
    assert "KeyboardInterrupt" in said
    assert all(comes_true(lambda process=process: is_gone(process.pid)) for process in started)  # type: ignore[misc]
