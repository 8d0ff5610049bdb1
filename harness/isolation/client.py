"""Our end of the server: starts it, has it start runs, and follows them."""

from __future__ import annotations

import atexit
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from harness.errors import MissingBackendError, PipelineError
from harness.isolation.server import program

if TYPE_CHECKING:
    from harness.isolation.files import RunFiles

__all__ = ["IsolatedRun", "Server", "shared_server"]

_START_SECONDS: Final = 300.0
_SETTINGS: Final = ("CUDA_", "KERAS_", "OMP_", "PYTHON", "TF_", "XLA_")
"""What of the environment is read when TensorFlow is imported: a server has it for good."""


@dataclass(slots=True)
class IsolatedRun:
    """A run that the server has started, as `harness.isolation.watching.watch` wants it."""

    server: Server
    pid: int
    status: int | None = None

    def poll(self) -> int | None:
        """Its exit status once it has ended."""
        if self.status is None:
            self.status = self.server.status_of(self.pid)
        return self.status

    def send_signal(self, number: int, /) -> None:
        """Have the server send a signal; it alone knows whether the id is still the run's."""
        self.server.ask(do="signal", pid=self.pid, number=int(number))

    def fileno(self) -> int:
        """What becomes readable when the run has ended."""
        return self.server.fileno()


class Server:
    """A server of runs, in a session of its own: Ctrl-C in the terminal does not reach it.

    Attributes:
        method: ``fork`` or ``spawn``.
        forkable: Whether what it has imported survives a fork.
        versions: What it has imported, by package; None where it imports nothing.
    """

    def __init__(self, method: str) -> None:
        """Start it, and wait until it has imported what runs need.

        Raises:
            MissingBackendError: There is no Keras here.
            PipelineError: It did not start.
        """
        self.method = method
        self._owner = os.getpid()
        self._settings = settings()
        self._ended: dict[int, int] = {}
        self._rest = b""
        self._dead = False
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - the command is ours
                program("serve", theirs.fileno(), method),
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                start_new_session=True,
            )
        try:
            hello = self._answer(_START_SECONDS)
        except BaseException:
            self.close()
            raise
        self._folder: str = hello["folder"]
        if "failed" in hello:
            self.close()
            raise MissingBackendError(hello["failed"])
        self.versions: dict[str, str] | None = hello.get("versions")
        self.forkable: bool = hello.get("forkable", True)

    @property
    def pid(self) -> int:
        """Id of its process."""
        return self._process.pid

    def scratch(self) -> list[str]:
        """Folders of runs that have not ended."""
        return sorted(path.name for path in Path(self._folder).iterdir())

    @property
    def usable(self) -> bool:
        """Whether it can start a run that sees the settings of now."""
        return not self._dead and self._owner == os.getpid() and self._settings == settings()

    def start(self, files: RunFiles, printed: int) -> IsolatedRun:
        """Start the run whose task is in these files.

        Args:
            files: Shared with the run.
            printed: Open file that becomes its standard output.

        Raises:
            PipelineError: The server has died.
        """
        self.ask(files=(*files.for_run, printed), do="run")
        return IsolatedRun(self, self._answer(_START_SECONDS)["pid"])

    def ask(self, files: tuple[int, ...] = (), **request: Any) -> None:
        """Send a request; a dead server is noticed where an answer is awaited."""
        data = json.dumps(request).encode("ascii") + b"\n"
        with suppress(OSError):
            socket.send_fds(self._socket, [data], files)

    def status_of(self, pid: int) -> int | None:
        """The exit status of a run, once it has ended. With the server all its runs end."""
        self._read(0.0)
        if pid in self._ended:
            return self._ended.pop(pid)
        if self._dead:
            # The kernel has ended the run itself; what that had started is in its group.
            with suppress(OSError):
                os.killpg(pid, signal.SIGKILL)
            self.close()
            return -int(signal.SIGKILL)
        return None

    def fileno(self) -> int:
        """What becomes readable when the server says something."""
        return self._socket.fileno()

    def close(self) -> None:
        """End the server and all its runs, and wait until they are gone."""
        if self._owner != os.getpid():
            return
        self._dead = True
        self._socket.close()
        try:
            self._process.wait(timeout=10.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()
        shutil.rmtree(getattr(self, "_folder", ""), ignore_errors=True)

    def _answer(self, seconds: float) -> dict[str, Any]:
        """The next answer that is not the end of a run."""
        until = time.monotonic() + seconds
        while not self._dead and time.monotonic() < until:
            answer = self._read(max(until - time.monotonic(), 0.0))
            if answer is not None:
                return answer
        said = b""
        if not self._errors.closed:
            self._errors.seek(0)
            said = self._errors.read()
        lines = said.decode("utf-8", "replace").strip().splitlines()[-5:]
        message = (
            "the process that starts isolated runs must be there, got "
            f"{' / '.join(lines) or 'nothing from it'}. "
            'Set limits.isolation to "none" to run without it.'
        )
        self.close()
        raise PipelineError(message)

    def _read(self, seconds: float) -> dict[str, Any] | None:
        """Read what there is; ends of runs are kept, another answer is returned."""
        if self._dead:
            return None
        if b"\n" not in self._rest:
            ready, _, _ = select.select([self._socket], [], [], seconds)
            data = b"" if not ready else self._receive()
            if ready and not data:
                self._dead = True
            self._rest += data
        while b"\n" in self._rest:
            line, self._rest = self._rest.split(b"\n", 1)
            answer: dict[str, Any] = json.loads(line)
            if "status" not in answer:
                return answer
            self._ended[answer["pid"]] = answer["status"]
        return None

    def _receive(self) -> bytes:
        try:
            return self._socket.recv(65536)
        except OSError:
            return b""


def settings() -> dict[str, str]:
    """What of the environment TensorFlow, Keras and Python read at their start.

    How much is logged is left out: importing Keras here sets it, and changes no run.
    """
    return {
        name: value
        for name, value in os.environ.items()
        if name.startswith(_SETTINGS) and not name.startswith("TF_CPP_")
    }


@dataclass(slots=True)
class _Shared:
    server: Server | None = None
    method: str = field(default_factory=lambda: "fork" if sys.platform == "linux" else "spawn")


_SHARED: Final = _Shared()


def shared_server() -> Server:
    """The server of this process: started when it is first needed, and anew after it has died.

    Raises:
        MissingBackendError: There is no Keras here.
        PipelineError: It does not start.
    """
    server = _SHARED.server
    if server is not None and server.usable:
        return server
    if server is not None:
        server.close()
        _SHARED.server = None
    server = Server(_SHARED.method)
    if not server.forkable:
        # This Keras starts TensorFlow's threads at import: each run is a new program then.
        server.close()
        _SHARED.method = "spawn"
        server = Server(_SHARED.method)
    _SHARED.server = server
    return server


def _close_shared() -> None:
    if _SHARED.server is not None:
        _SHARED.server.close()
        _SHARED.server = None


atexit.register(_close_shared)
