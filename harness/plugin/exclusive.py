"""While a benchmark runs in one worker of xdist, the other workers wait.

Every item of a session that has benchmarks holds a lock: most share it, a benchmark has it alone.
Whoever wants it alone holds the door meanwhile, so that it is not kept waiting for ever by items
that go on sharing. A worker that dies gives back what it held, because the system does it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from harness.plugin.gathered import Gathered, put_on_report

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

__all__ = ["Exclusive", "forget_folder", "hand_out_folder", "is_worker", "take_turns"]

_KEY: Final = "harness_lock_folder"
_FOLDER: Final = pytest.StashKey[str]()


def is_worker(config: pytest.Config) -> bool:
    """Whether this session runs a share of somebody else's items."""
    return hasattr(config, "workerinput")


def hand_out_folder(config: pytest.Config, workerinput: dict[str, Any]) -> None:
    """Tell a worker where the locks of this session are; called where the workers are started."""
    if _FOLDER not in config.stash:
        config.stash[_FOLDER] = tempfile.mkdtemp(prefix="harness-locks-")
        config.pluginmanager.register(Gathered(config))
    workerinput[_KEY] = config.stash[_FOLDER]


def forget_folder(config: pytest.Config) -> None:
    """Remove the locks at the end of the session."""
    if _FOLDER in config.stash:
        shutil.rmtree(config.stash[_FOLDER], ignore_errors=True)


def take_turns(session: pytest.Session) -> None:
    """From here on items take turns, where the session is a worker's and has benchmarks."""
    from harness.plugin.benchmarks import BenchmarkItem

    folder = getattr(session.config, "workerinput", {}).get(_KEY)
    if (
        folder is None
        or not _can_lock(Path(folder))
        or not any(isinstance(item, BenchmarkItem) for item in session.items)
    ):
        return
    session.config.pluginmanager.register(Exclusive(Path(folder), BenchmarkItem))


def _can_lock(folder: Path) -> bool:
    """Whether the folder is of this machine, and its system has record locks."""
    return folder.is_dir() and importlib.util.find_spec("fcntl") is not None


class Exclusive:
    """Lets benchmarks run alone."""

    def __init__(self, folder: Path, alone: type[pytest.Item]) -> None:
        """Keep the locks in `folder`; items of the type `alone` run alone."""
        self._folder, self._alone = folder, alone

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Hold the lock around an item, fixtures included, before its time-out begins to run."""
        with self._turn(alone=isinstance(item, self._alone)):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Let what was measured travel with the report."""
        report = yield
        put_on_report(item, report)
        return report

    @contextlib.contextmanager
    def _turn(self, *, alone: bool) -> Iterator[None]:
        with contextlib.ExitStack() as held:
            with _locked(self._folder / "door", shared=False):
                held.enter_context(_locked(self._folder / "room", shared=not alone))
            yield


@contextlib.contextmanager
def _locked(path: Path, *, shared: bool) -> Iterator[None]:
    """Hold the lock that is the file `path`, waiting for it.

    A record lock, which children do not inherit: one that outlives its item holds nothing up.
    """
    import fcntl

    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    try:
        fcntl.lockf(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
