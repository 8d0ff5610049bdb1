"""Starts a process in an environment, waits for its answer, and leaves nothing running."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from packaging.utils import canonicalize_name
from packaging.version import Version

from harness.comparison.commands import EnvironmentBroken

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.comparison.preparing import Prepared

__all__ = ["ask", "check_versions", "kill_session", "last_lines", "process", "shown_path"]

_LINES: Final = 12
_LISTENING_SECONDS: Final = 1.0
_GRACE_SECONDS: Final = 5.0


@contextmanager
def process(
    prepared: Prepared,
    arguments: Sequence[str],
    scratch: Path,
    *,
    stdout: int | IO[bytes],
    stderr: IO[bytes],
) -> Iterator[subprocess.Popen[bytes]]:
    """A process of an environment's interpreter that does not outlive the block.

    It gets a standard input that stays open as long as we live, so that a child which watches it
    ends with us, however we end.

    Args:
        prepared: Where it runs.
        arguments: Of the interpreter.
        scratch: Where it makes its temporary files: one that is killed leaves them.
        stdout: Where it writes to.
        stderr: Likewise.
    """
    temporary = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch))
    started = subprocess.Popen(  # noqa: S603 - our own modules, in an interpreter the user chose
        [str(prepared.python), *arguments],
        cwd=prepared.folder,
        env={**prepared.environment(), **temporary},
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )
    try:
        yield started
    finally:
        _end(started)


def ask(
    prepared: Prepared, module: str, request: Mapping[str, Any], timeout: float | None
) -> dict[str, Any]:
    """What a module of ours answers when it is run in an environment.

    Args:
        prepared: Where to run it.
        module: Its name; it takes the paths of the request and of the answer.
        request: JSON.
        timeout: Seconds until it is ended; None waits for ever.

    Raises:
        EnvironmentBroken: It died, took too long or gave no answer; the message says what it said.
    """
    with tempfile.TemporaryDirectory(prefix="harness-") as kept:
        question, answer, log = (Path(kept) / name for name in ("question", "answer", "log"))
        question.write_text(json.dumps(request), encoding="utf-8")
        with log.open("wb") as output:
            arguments = ["-m", module, str(question), str(answer)]
            folder = Path(kept)
            with process(prepared, arguments, folder, stdout=output, stderr=output) as child:
                try:
                    status = child.wait(timeout)
                except subprocess.TimeoutExpired as error:
                    message = f"{prepared.name} must answer in {timeout:g} s, got nothing."
                    raise EnvironmentBroken(message) from error
        if status != 0 or not answer.exists():
            message = f"{prepared.name} must give an answer, got {_ending(status)}.{_said(log)}"
            raise EnvironmentBroken(message)
        found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    return found


def check_versions(prepared: Prepared, seen: Mapping[str, str]) -> None:
    """Make sure that the versions asked for are those that were loaded.

    Raises:
        EnvironmentBroken: Another one came first on the path.
    """
    by_name: dict[str, str] = {canonicalize_name(name): version for name, version in seen.items()}
    for name, version in prepared.expected.items():
        found = by_name.get(name)
        if found is not None and Version(found).public != Version(version).public:
            message = (
                f"{prepared.name} must load {name} {version}, got {found}. "
                "Something on PYTHONPATH, or a later part of the environment, comes before it."
            )
            raise EnvironmentBroken(message)


def last_lines(log: Path) -> str:
    """The last lines of what a process printed, indented; empty where it printed nothing."""
    text = log.read_text(encoding="utf-8", errors="replace").strip()
    return "\n".join(f"  {line}" for line in text.splitlines()[-_LINES:])


def shown_path(prepared: Prepared, path: Path) -> str:
    """A file's path as a process of this environment must be told: as typed where that will do."""
    return str(path if prepared.folder == Path.cwd() else path.absolute())


def _said(log: Path) -> str:
    lines = last_lines(log)
    return f" It said:\n{lines}" if lines else ""


def _ending(status: int) -> str:
    if status >= 0:
        return f"status {status}"
    try:
        return f"an end by {signal.Signals(-status).name}"
    except ValueError:
        return f"an end by signal {-status}"


def _end(started: subprocess.Popen[bytes]) -> None:
    """End a process and everything that it started."""
    if started.stdin is not None:
        with suppress(OSError):
            started.stdin.close()
    # Ours hear that, and end.
    with suppress(subprocess.TimeoutExpired):
        started.wait(_LISTENING_SECONDS)
    if started.poll() is None:
        _signal(started, "SIGTERM")
        with suppress(subprocess.TimeoutExpired):
            started.wait(_GRACE_SECONDS)
    _signal(started, "SIGKILL")
    started.wait()
    if started.stdout is not None:
        started.stdout.close()


def kill_session(started: subprocess.Popen[bytes]) -> None:
    """End a process and its forks at once; whoever reads from them sees the end."""
    _signal(started, "SIGKILL")


def _signal(started: subprocess.Popen[bytes], name: str) -> None:
    """Signal the whole session, which may outlive its first process."""
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(started.pid, getattr(signal, name))
        else:
            started.kill()
