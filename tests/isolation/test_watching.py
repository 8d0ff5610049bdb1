"""Watching any process: here small ones that import nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from harness.isolation import memory
from harness.isolation.evidence import EndedBy, Evidence, Limits
from harness.isolation.files import RunFiles
from harness.isolation.lifeline import backstop
from harness.isolation.memory import NOTHING, Memory, TreeMemory, memory_of
from harness.isolation.watching import watch

if TYPE_CHECKING:
    from pathlib import Path

READY = """
import os, re, sys, time
held = re.findall(r"RssAnon: *(\\d+)", open("/proc/self/status").read().replace("\\t", ""))
held = int(held[0]) * 1024 if held else 0
os.write(int(sys.argv[1]), b'{"kind":"ready","held_bytes":%d}\\n' % held)
"""
"""What `prepare` says, without its imports."""


def watched(code: str, limits: Limits, *, heard: list[bytes] | None = None) -> Evidence:
    """What is seen of a Python that runs this code, with its journal as descriptor 3."""
    with RunFiles.make() as files:
        journal = files.journal.fileno()
        process = subprocess.Popen(
            [sys.executable, "-S", "-c", code, str(journal)],
            stderr=files.said,
            pass_fds=(journal,),
        )
        files.handed_over()
        return watch(
            process,
            limits,
            journal=journal,
            output=files.heard.fileno(),
            heard=None if heard is None else heard.append,
        )


def test_a_process_that_ends_is_left_alone() -> None:
    """Its status, its words and its journal are the evidence."""
    heard: list[bytes] = []

    code = f"{READY}sys.stderr.write('a' * 100000 + 'end'); sys.exit(3)"

    seen = watched(code, Limits(), heard=heard)

    assert (seen.status, seen.ended_by, seen.stacks) == (3, None, "")
    assert len(b"".join(heard)) == 100003
    assert seen.output.endswith("aend")
    assert len(seen.output) == 1 << 16
    assert [entry["kind"] for entry in seen.journal.entries] == ["ready"]
    assert seen.peak_bytes > 1 << 20


def test_a_closed_standard_error_is_no_end() -> None:
    """The process goes on, and is watched on."""
    seen = watched(f"{READY}os.close(2); time.sleep(0.2); sys.exit(4)", Limits())

    assert seen.status == 4


def test_a_budget_counts_children_too() -> None:
    """What the process and what it has started hold beyond the beginning."""
    child = "import time; kept = bytearray(b'x') * (64 << 20); time.sleep(60)"
    code = f"{READY}import subprocess; subprocess.run([sys.executable, '-S', '-c', {child!r}])"

    seen = watched(code, Limits(memory_bytes=48 << 20))

    assert seen.ended_by is EndedBy.MEMORY
    assert seen.status == -9
    assert seen.held_bytes > 48 << 20


@pytest.mark.parametrize(
    ("limits", "ended_by"),
    [
        (Limits(wall_seconds=0.2), EndedBy.DEADLINE),
        (Limits(stall_seconds=0.2), EndedBy.STALL),
    ],
)
def test_a_process_that_takes_too_long_shows_its_stacks(limits: Limits, ended_by: EndedBy) -> None:
    """All of them, before it is ended."""
    code = (
        f"import faulthandler, signal; faulthandler.register(signal.SIGQUIT)\n{READY}time.sleep(60)"
    )

    seen = watched(code, limits)

    assert (seen.status, seen.ended_by) == (-9, ended_by)
    assert "(most recent call first):" in seen.stacks
    assert " in <module>" in seen.stacks
    assert (seen.stalled_cpu_seconds is None) is (ended_by is EndedBy.DEADLINE)


def test_a_start_has_a_limit_of_its_own() -> None:
    """Other limits count from when a process is ready."""
    limits = Limits(wall_seconds=0.001, start_seconds=0.2)

    seen = watched("import time; time.sleep(60)", limits)

    assert seen.ended_by is EndedBy.START


def test_memory_of_processes() -> None:
    """Of us, of somebody who is gone, and of both together."""
    ours = memory_of(os.getpid())

    assert 0 < ours.held < ours.resident
    assert memory_of(2**22 + 1) == NOTHING
    assert ours + NOTHING == ours
    assert Memory(1, 2) + Memory(3, 4) == Memory(4, 6)
    assert TreeMemory(os.getpid()).sample(time.monotonic()).held > 0
    assert ours.__add__((1,)) is NotImplemented


def test_the_kernel_is_asked_for_its_kills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the cgroup, where there is one; on the machine otherwise."""
    events = tmp_path / "memory.events"
    monkeypatch.setattr(memory, "_own_events", lambda: events)
    machine = memory.kernel_kills()
    assert machine is None or machine >= 0

    events.write_text("low 0\noom 4\noom_kill 3\n", "ascii")
    assert memory.kernel_kills() == 3


def test_the_backstop_is_above_the_budget() -> None:
    """TensorFlow reserves more than it touches."""
    assert backstop(None) is None
    assert (backstop(1 << 30) or 0) > (1 << 30) + (512 << 20)
