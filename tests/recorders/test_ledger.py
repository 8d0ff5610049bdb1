"""What is held after a run and was not held before is named."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from harness.recorders.ledger import Ledger

if TYPE_CHECKING:
    from pathlib import Path


def test_nothing_new() -> None:
    """Without anything new there is no difference."""
    assert Ledger().difference() == ()


def test_a_thread_that_stays() -> None:
    """A thread is named without its number; once it has ended it is no difference."""
    ledger, end = Ledger(), threading.Event()
    thread = threading.Thread(target=end.wait, name="Thread-12 (wait)")
    thread.start()
    assert ledger.difference() == ("thread Thread (wait)",)
    threading.Timer(0.05, end.set).start()
    assert ledger.difference() == ()


def test_a_file_that_stays_open(tmp_path: Path) -> None:
    """A file is named without its folder."""
    ledger = Ledger()
    with (tmp_path / "log.csv").open("w"):
        assert ledger.difference() == ("file log.csv",)
    assert ledger.difference() == ()


def test_a_child_that_goes_on() -> None:
    """A child process is named by its program."""
    ledger = Ledger()
    command = [sys.executable, "-c", "input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as child:
        found = ledger.difference()
        child.kill()
    assert any(name.startswith("process ") for name in found)
    assert ledger.difference() == ()
