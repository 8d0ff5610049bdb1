"""The server of runs: forks a child a run out of a process that has imported TensorFlow and Keras.

It is started as a program of its own with one end of a socket pair. Requests and answers are lines
of JSON; the open files of a run travel with them. The server runs no operation of TensorFlow, whose
threads would not survive the fork. Where forking is impossible it starts each run as a new program.

It ends with the socket: when the process that started it dies, however, it ends what it has
started, removes its folder and goes.
"""

from __future__ import annotations

import gc
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import warnings
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.isolation.lifeline import die_with_parent, end_now
from harness.isolation.orphans import adopt_orphans, end_orphans
from harness.isolation.scratch import FOLDER_PREFIX, owner_mark, sweep
from harness.isolation.task import read_task, run_task

__all__ = ["program", "serve", "start_spawned"]

_DESCRIPTORS = 5
_LOOK_SECONDS = 1.0
_BROKEN = 70
"""Exit status of a child that could not even read its task: EX_SOFTWARE of sysexits.h."""


def program(function: str, *arguments: object) -> list[str]:
    """The command that calls a function of this module in a new Python, with our search path.

    Args:
        function: Its name.
        arguments: Numbers and text.
    """
    code = (
        f"import sys; sys.path[:] = {sys.path!r}; "
        f"from harness.isolation.server import {function}; {function}(*{arguments!r})"
    )
    return [sys.executable, "-c", code]


def serve(descriptor: int, method: str) -> None:
    """Serve until the other end of the socket is closed.

    Args:
        descriptor: Our end of a pair of sockets.
        method: ``fork`` or ``spawn``.
    """
    parent = os.getppid()
    wake, woken = os.pipe()
    for end in (wake, woken):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    adopts = adopt_orphans()
    temporary = Path(tempfile.gettempdir())
    sweep(temporary)
    mark = owner_mark(os.getpid())
    folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{mark}-", dir=temporary))
    with socket.socket(fileno=descriptor) as control:
        server = _Server(
            control=control, folder=folder, parent=parent, wake=wake, method=method, adopts=adopts
        )
        try:
            server.tell(folder=str(folder), **(_warm() if method == "fork" else {}))
            server.loop()
        finally:
            server.close()


def start_spawned(descriptors: tuple[int, int, int], scratch: str, server: int) -> None:
    """Make one run in a program of its own.

    Args:
        descriptors: Task, journal and result.
        scratch: Its folder.
        server: Who started it.
    """
    die_with_parent(server)
    task, journal, result = descriptors
    run_task(read_task(task), journal=journal, result=result, scratch=scratch)


@dataclass(slots=True, kw_only=True)
class _Server:
    control: socket.socket
    folder: Path
    parent: int
    wake: int
    method: str
    adopts: bool
    children: dict[int, Path] = field(default_factory=dict)
    started: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    rest: bytes = b""

    def loop(self) -> None:
        """Do what is asked until nobody asks any more."""
        while os.getppid() == self.parent:
            asked = self.control.fileno()
            ready, _, _ = select.select([asked, self.wake], [], [], _LOOK_SECONDS)
            if self.wake in ready:
                with suppress(BlockingIOError):
                    os.read(self.wake, 4096)
                self.reap()
            if asked in ready and not self.answer():
                return

    def answer(self) -> bool:
        """Do what has been asked; False when the other end is gone."""
        try:
            data, files, _, _ = socket.recv_fds(self.control, 4096, _DESCRIPTORS)
        except OSError:
            return False
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            request = json.loads(line)
            if request["do"] == "run":
                self.start(files)
            elif request["pid"] in self.children:
                _signal(request["pid"], request["number"])
        return bool(data)

    def start(self, files: list[int]) -> None:
        """Start one run."""
        scratch = Path(tempfile.mkdtemp(dir=self.folder))
        number = self.fork(files, scratch) if self.method == "fork" else self.spawn(files, scratch)
        self.children[number] = scratch
        for file in files:
            os.close(file)
        self.tell(pid=number)

    def fork(self, files: list[int], scratch: Path) -> int:
        """A child of this process; it never returns from here."""
        server = os.getpid()
        with warnings.catch_warnings():
            # Python counts the sleeping threads of libraries; that children train is tested.
            warnings.simplefilter("ignore", DeprecationWarning)
            number = os.fork()
        if number:
            return number
        try:
            os.setsid()
            die_with_parent(server)
            self.let_go()
            task, journal, result, said, printed = files
            os.dup2(said, 2)
            os.dup2(printed, 1)
            os.close(said)
            os.close(printed)
            run_task(read_task(task), journal=journal, result=result, scratch=str(scratch))
        finally:
            end_now(_BROKEN)

    def let_go(self) -> None:
        """In a child: give up what is the server's."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.control.close()
        os.close(self.wake)

    def spawn(self, files: list[int], scratch: Path) -> int:
        """A new program."""
        task, journal, result, said, printed = files
        process = subprocess.Popen(  # noqa: S603 - the command is ours
            program("start_spawned", (task, journal, result), str(scratch), os.getpid()),
            pass_fds=(task, journal, result),
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=said,
            start_new_session=True,
        )
        self.started[process.pid] = process
        return process.pid

    def reap(self) -> None:
        """Tell about every run that has ended, once nothing of it is left."""
        for number in list(self.children):
            ended, status = os.waitpid(number, os.WNOHANG)
            if not ended:
                continue
            scratch = self.children.pop(number)
            if not self.adopts:
                # What it has started is in its group, as far as it has not left that.
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(number, signal.SIGKILL)
            end_orphans(self.children)
            shutil.rmtree(scratch, ignore_errors=True)
            status = os.waitstatus_to_exitcode(status)
            if number in self.started:
                self.started.pop(number).returncode = status
            self.tell(pid=number, status=status)

    def tell(self, **values: Any) -> None:
        """Answer; if nobody is there any more, the loop finds out."""
        with suppress(OSError):
            self.control.sendall(json.dumps(values).encode("ascii") + b"\n")

    def close(self) -> None:
        """Leave nothing behind."""
        for number in self.children:
            _signal(number, signal.SIGKILL)
        end_orphans(())
        shutil.rmtree(self.folder, ignore_errors=True)


def _signal(number: int, which: int) -> None:
    """Signal a run, but not what it has started: that may have to clean up after it."""
    with suppress(ProcessLookupError, PermissionError):
        os.kill(number, which)


def _warm() -> dict[str, Any]:
    """Import everything that a run needs; what came of it, for the other end."""
    from harness.errors import HarnessError  # noqa: PLC0415 - with the rest
    from harness.pipeline.backend import import_keras  # noqa: PLC0415

    try:
        # Not `import_tensorflow`, which asks for devices: a GPU that was asked survives no fork.
        import_keras()
        import harness.runner.run  # noqa: F401, PLC0415 - it takes TensorFlow to import
    except HarnessError as error:
        return {"failed": str(error)}
    gc.collect()
    # Objects that no collection touches stay shared with the children.
    gc.freeze()
    return {"forkable": not _has_run_operations()}


def _has_run_operations() -> bool:
    """Whether TensorFlow's runtime has been started, whose threads no child would have."""
    context = sys.modules.get("tensorflow.python.eager.context")
    started = None if context is None else getattr(context, "_context", None)
    return started is not None and bool(getattr(started, "_initialized", True))
