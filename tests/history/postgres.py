"""A PostgreSQL server of our own, for the time of a test session."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 60


class NoServer(Exception):  # noqa: N818 - a reason to skip, not a failure
    """There is no PostgreSQL here; the text says what is missing."""


@contextmanager
def postgres_server() -> Iterator[str]:
    """The URL of an empty database in a server that runs until the block ends.

    It listens on a socket in a folder of its own, so that nothing else can reach it.

    Raises:
        NoServer: The programs are not installed, or there is nobody to run them as.
    """
    programs = _programs()
    as_user = _server_user()
    folder = Path(tempfile.mkdtemp(prefix="harness-pg-"))
    data = folder / "data"
    try:
        if as_user:
            shutil.chown(folder, as_user["user"], as_user["group"])
        with (folder / "log").open("wb") as log:
            settings: dict[str, Any] = {
                "cwd": "/",
                "stdin": subprocess.DEVNULL,
                "stdout": log,
                "stderr": log,
                **as_user,
            }
            make: list[Path | str] = [
                programs / "initdb",
                "-D",
                data,
                "-U",
                "harness",
                "-A",
                "trust",
                "-N",
            ]
            subprocess.run(make, check=True, timeout=SECONDS, **settings)
            # -F: nothing here has to survive a power cut.
            run: list[Path | str] = [
                programs / "postgres",
                "-D",
                data,
                "-F",
                "-k",
                folder,
                "-c",
                "listen_addresses=",
            ]
            with _started(run, settings) as server:
                try:
                    _wait(programs, folder, server)
                    yield f"postgresql://harness@/postgres?host={folder}"
                finally:
                    server.send_signal(signal.SIGQUIT)
                    server.wait(SECONDS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _started(command: list[Path | str], settings: dict[str, Any]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, **settings)


def _wait(programs: Path, folder: Path, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SECONDS
    ready: list[Path | str] = [programs / "pg_isready", "-q", "-h", folder]
    while subprocess.run(ready, check=False, timeout=SECONDS).returncode:
        if server.poll() is not None or time.monotonic() > deadline:
            message = f"the test's server must start, got:\n{(folder / 'log').read_text()}"
            raise RuntimeError(message)
        time.sleep(0.05)


def _programs() -> Path:
    """The folder with the programs of the newest server there is; Debian keeps it off the path."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    places += sorted(versions, key=lambda place: int(place.parent.name), reverse=True)
    for place in places:
        if (place / "initdb").exists() and (place / "postgres").exists():
            return place
    message = "no PostgreSQL server is installed: neither initdb on the path nor in /usr/lib"
    raise NoServer(message)


def _server_user() -> dict[str, Any]:
    """Arguments of `subprocess` to run as somebody else: the server refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    message = "PostgreSQL does not run as root, and there is no user postgres or nobody"
    raise NoServer(message)
