"""Whoever dies, and however: the others go on, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from harness.errors import PipelineError
from harness.isolation import client
from harness.isolation.client import Server, shared_server
from harness.isolation.scratch import FOLDER_PREFIX, owner_mark, sweep
from harness.isolation.training import IsolatedTraining
from harness.spec.pipeline import PipelineSpec
from harness.trace import StopReason
from harness.trace.recording import Recording
from tests.isolation.leftovers import comes_true, descriptors, is_gone
from tests.isolation.test_fault_matrix import pipeline as deadly
from tests.isolation.test_training import DRIVEN, spec_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RUNS = 20

STUCK = """
import sys
from harness.isolation.client import Server
from harness.isolation.training import IsolatedTraining
from harness.trace.recording import Recording
from tests.isolation.test_fault_matrix import pipeline
server = Server("fork")
print(server.pid, server._folder, flush=True)
IsolatedTraining(server=lambda: server)(pipeline("deadlock", "callback", sys.argv[1]), Recording())
"""


def training(server: Server, clock: Callable[[], float] = time.monotonic) -> IsolatedTraining:
    """Training under a server."""
    return IsolatedTraining(server=lambda: server, clock=clock)


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server that only one test uses, and may kill."""
    server = Server("fork")
    yield server
    server.close()


def test_many_runs_leave_nothing(server: Server) -> None:
    """Every forked child trains; no zombie, no descriptor and no folder stays."""
    train, spec = training(server), spec_of(**DRIVEN)
    train(spec, Recording())
    ours, theirs = descriptors(), psutil.Process(server.pid).num_fds()

    for _ in range(RUNS):
        trace = train(spec, Recording())
        assert trace.stop.reason is StopReason.COMPLETED
        assert len(trace.steps) == 5

    assert descriptors() == ours
    assert psutil.Process(server.pid).num_fds() == theirs
    assert psutil.Process(server.pid).children() == []
    assert psutil.Process(server.pid).num_threads() == 1
    assert server.scratch() == []


def test_what_a_run_started_ends_with_it(server: Server, tmp_path: Path) -> None:
    """A process in a session of its own, and shared memory."""
    note = tmp_path / "note"
    model = {
        "kind": "import",
        "import": "tests.isolation.leftovers:leaving",
        "arguments": {"note": str(note)},
    }

    trace = training(server)(spec_of(model=model), Recording())

    number, name = note.read_text("utf-8").split()
    assert trace.stop.reason is StopReason.KILLED
    assert is_gone(int(number))
    assert not Path("/dev/shm", name.lstrip("/")).exists()  # noqa: S108 - the kernel's own place


def test_an_interrupt_ends_the_run(server: Server) -> None:
    """Ctrl-C reaches us alone, we end the run, and the server is as good as before."""
    looks = iter([0.0] * 20)

    def clock() -> float:
        try:
            return next(looks)
        except StopIteration:
            raise KeyboardInterrupt from None

    with pytest.raises(KeyboardInterrupt):
        training(server, clock)(deadly("deadlock", "step"), Recording())

    assert psutil.Process(server.pid).children() == []
    trace = training(server)(spec_of(**DRIVEN), Recording())
    assert trace.stop.reason is StopReason.COMPLETED


def test_a_killed_server_is_survived(own_server: Server, tmp_path: Path) -> None:
    """Its runs die with it and keep what they have said; its folder is removed."""
    folder, child = Path(own_server._folder), None

    def clock() -> float:
        nonlocal child
        if (tmp_path / "there").exists() and child is None:
            (child,) = psutil.Process(own_server.pid).children()
            os.kill(own_server.pid, signal.SIGKILL)
        return time.monotonic()

    spec = deadly("deadlock", "callback", tmp_path / "there")
    trace = training(own_server, clock)(spec, Recording())

    assert trace.stop.reason is StopReason.KILLED
    assert len(trace.steps) == 6
    assert child is not None
    assert comes_true(lambda: is_gone(child.pid))
    assert not folder.exists()
    assert not own_server.usable
    with pytest.raises(PipelineError, match="the process that starts isolated runs must be there"):
        training(own_server)(spec, Recording())


def test_nothing_outlives_a_killed_parent(tmp_path: Path) -> None:
    """SIGKILL gives it no chance to clean up: the server does, and goes."""
    parent = subprocess.Popen(
        [sys.executable, "-c", STUCK, str(tmp_path / "there")], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    with parent, parent.stdout:
        number, folder = parent.stdout.readline().split()
        assert comes_true((tmp_path / "there").exists, 120.0)
        (child,) = psutil.Process(int(number)).children()
        assert len(list(Path(folder).iterdir())) == 1

        parent.kill()

    assert comes_true(lambda: is_gone(int(number)))
    assert is_gone(child.pid)
    assert not Path(folder).exists()


def test_runs_can_be_programs_of_their_own(tmp_path: Path) -> None:
    """Where forking is impossible, everything else is the same."""
    server = Server("spawn")
    try:
        trace = training(server)(deadly("os_exit", "callback"), Recording())
        assert server.scratch() == []
    finally:
        server.close()

    assert trace.stop.reason is StopReason.CALLBACK_ERROR, trace.stop.sentence
    assert trace.stop.callback == "Deadly"
    assert len(trace.steps) == 6
    assert not Path(server._folder).exists()
    assert tmp_path.exists()


def test_the_shared_server_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorFlow reads its settings once; other settings take another server."""
    made: list[FakeServer] = []

    class FakeServer:
        forkable = True

        def __init__(self, method: str) -> None:
            self.method, self.closed = method, False
            self.settings = client.settings()
            made.append(self)

        @property
        def usable(self) -> bool:
            return self.settings == client.settings()

        def close(self) -> None:
            self.closed = True

    monkeypatch.setattr(client, "Server", FakeServer)
    monkeypatch.setattr(client, "_SHARED", client._Shared(method="fork"))
    first: Any = shared_server()
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    assert shared_server() is first
    monkeypatch.setenv("TF_NUM_INTEROP_THREADS", "1")

    second: Any = shared_server()
    assert second is made[1]
    assert [server.closed for server in made] == [True, False]

    monkeypatch.setenv("TF_NUM_INTEROP_THREADS", "2")
    monkeypatch.setattr(FakeServer, "forkable", False)
    server: Any = shared_server()
    assert server.method == "spawn"
    assert [server.closed for server in made] == [True, True, True, False]


def test_folders_of_the_dead_are_swept(tmp_path: Path) -> None:
    """Those of the living, and of others, stay."""
    dead = tmp_path / f"{FOLDER_PREFIX}{os.getpid()}-12345-abc"
    living = tmp_path / f"{FOLDER_PREFIX}{owner_mark(os.getpid())}-abc"
    other = tmp_path / f"{FOLDER_PREFIX}mine"
    for folder in (dead, living, other):
        folder.mkdir()

    sweep(tmp_path)

    assert not dead.exists()
    assert living.exists()
    assert other.exists()


def test_a_server_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the last words of the process."""
    monkeypatch.setattr(
        client, "program", lambda *_: [sys.executable, "-S", "-c", "raise SystemExit('no luck')"]
    )

    with pytest.raises(PipelineError) as raised:
        Server("fork")

    assert str(raised.value) == (
        "the process that starts isolated runs must be there, got no luck. "
        'Set limits.isolation to "none" to run without it.'
    )


def test_specs_survive_the_way() -> None:
    """A pipeline is the same on the other side."""
    spec = spec_of(**DRIVEN)

    assert PipelineSpec.model_validate(spec.model_dump(by_alias=True)) == spec
