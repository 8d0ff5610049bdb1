"""Processes in an environment answer or are ended, and say why."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from harness.comparison.children import ask, process
from harness.comparison.commands import EnvironmentBroken
from harness.comparison.preparing import Prepared

ANSWERS = """
import json, pathlib, sys
question, answer = map(pathlib.Path, sys.argv[1:])
answer.write_text(json.dumps({"twice": 2 * json.loads(question.read_text())["once"]}))
"""


@pytest.fixture
def here(tmp_path: Path) -> Prepared:
    """This interpreter, with a folder for made-up modules."""
    return Prepared(
        name="here", python=Path(sys.executable), path=(tmp_path,), folder=tmp_path, identity="1"
    )


def test_an_answer(here: Prepared, tmp_path: Path) -> None:
    """JSON in, JSON out."""
    (tmp_path / "made_up.py").write_text(ANSWERS)

    assert ask(here, "made_up", {"once": 4}, None) == {"twice": 8}


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import nothing_like_it", "got status 1. It said:\n  Traceback"),
        ("print('no answer')", "got status 0. It said:\n  no answer"),
        ("import os; os.kill(os.getpid(), 11)", "got an end by SIGSEGV."),
    ],
)
def test_no_answer(code: str, said: str, here: Prepared, tmp_path: Path) -> None:
    """How it ended, and the last it said."""
    (tmp_path / "made_up.py").write_text(code)
    with pytest.raises(EnvironmentBroken) as raised:
        ask(here, "made_up", {}, None)
    assert f"here must give an answer, {said}" in str(raised.value)


def test_whoever_takes_too_long_is_ended(
    here: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With everything that it started, and its temporary files are gone."""
    file = tmp_path / "pid"
    (tmp_path / "made_up.py").write_text(
        "import subprocess, sys, tempfile, time, pathlib\n"
        "tempfile.mkdtemp(prefix='left-')\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"pathlib.Path({str(file)!r}).write_text(str(child.pid))\n"
        "time.sleep(600)\n"
    )
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    with pytest.raises(EnvironmentBroken, match=r"here must answer in 3 s, got nothing\."):
        ask(here, "made_up", {}, 3.0)
    assert not _runs(int(file.read_text()))
    assert list(tmp_path.glob("**/left-*")) == []


def test_a_child_ends_with_its_parent(here: Prepared, tmp_path: Path) -> None:
    """Even where the parent had no time to say so."""
    (tmp_path / "parent.py").write_text(
        "import subprocess, sys\n"
        "code = 'from harness.comparison.answering import end_with_parent; import time;'\n"
        "code += 'end_with_parent(); time.sleep(600)'\n"
        "child = subprocess.Popen([sys.executable, '-c', code], stdin=subprocess.PIPE)\n"
        "print(child.pid, flush=True)\n"
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, tmp_path / "parent.py"],
        env={**os.environ, **here.environment(), "PYTHONPATH": os.environ.get("PYTHONPATH", "")},
        capture_output=True,
        text=True,
        check=False,
    )
    number = int(done.stdout)
    with suppress(psutil.NoSuchProcess):
        psutil.Process(number).wait(30)
    assert not _runs(number)


def test_a_process_does_not_outlive_its_block(here: Prepared, tmp_path: Path) -> None:
    """Nor one that does not listen."""
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True)\n"
    code += "time.sleep(600)"
    with (
        (tmp_path / "log").open("wb") as log,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr("harness.comparison.children._LISTENING_SECONDS", 0.1)
        patch.setattr("harness.comparison.children._GRACE_SECONDS", 0.1)
        with process(here, ["-c", code], tmp_path, stdout=subprocess.PIPE, stderr=log) as child:
            assert child.stdout is not None
            child.stdout.readline()
        assert child.poll() is not None


def _runs(number: int) -> bool:
    for _ in range(50):
        try:
            if psutil.Process(number).status() == psutil.STATUS_ZOMBIE:
                return False
        except psutil.NoSuchProcess:
            return False
        time.sleep(0.1)
    return True
