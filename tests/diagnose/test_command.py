"""`harness diagnose` as somebody types it: streams, statuses, limits, signals."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from harness.trace import read_trace

ROOT = Path(__file__).parents[2]
HARNESS = [sys.executable, "-c", "import sys; from harness.cli import main; sys.exit(main())"]
FIT = """
import keras, numpy as np
x = np.ones((64, 4), "float32")
model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(0.01), "mse")
"""
Command = Callable[..., "subprocess.CompletedProcess[str]"]


def environment() -> dict[str, str]:
    """Return one in which this checkout is found where the harness is not installed."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path}


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Write a script and diagnose it, in its folder."""

    def run(
        script: str, *options: str, arguments: tuple[str, ...] = (), given: str = ""
    ) -> subprocess.CompletedProcess[str]:
        (tmp_path / "train.py").write_text(script, encoding="utf-8")
        return subprocess.run(
            [*HARNESS, "diagnose", *options, "train.py", *arguments],
            cwd=tmp_path,
            env=environment(),
            input=given,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )

    return run


def test_a_script_notices_nothing(command: Command, tmp_path: Path) -> None:
    """Arguments, streams and status are its own; the document is all that standard output holds."""
    script = f"""
import tensorflow as tf
import argparse, sys
parser = argparse.ArgumentParser()
parser.add_argument("--json", type=int)
epochs = parser.parse_args().json
assert __name__ == "__main__" and sys.argv[0] == "train.py", sys.argv
assert sys.path[0] == {str(tmp_path)!r}, sys.path
print(sys.stdin.read(), "y" * 200_000)
{FIT}
for _ in range(2):
    model.fit(x, x[:, :1], epochs=epochs, verbose=0)
sys.exit(3)
"""
    options = ("--json", "--trace", "kept.trace")
    result = command(script, *options, arguments=("--json", "2"), given="typed")

    document = json.loads(result.stdout)
    assert result.returncode == 0, result.stderr[-2000:]
    assert document["findings"] == []
    assert [run["done_epochs"] for run in document["runs"]] == [2, 2]
    assert (
        document["ending"] == "The script ended itself with status 3, by sys.exit at train.py:18."
    )
    assert "typed" in result.stderr
    assert "y" * 200_000 in result.stderr
    assert len(read_trace(tmp_path / "kept.trace").steps) == 4


def test_a_script_that_never_trains_is_not_judged(command: Command) -> None:
    """Status 2, and why."""
    result = command("print('done')")

    assert result.returncode == 2
    assert result.stdout.startswith("done\n")
    assert "Could not judge: The script never imported Keras, so that there was" in result.stdout


def test_an_error_before_any_training_is_a_finding(command: Command) -> None:
    """The traceback is Python's own, without a line of ours."""
    result = command("def load():\n    raise OSError('no data')\n\n\nload()\n")

    assert result.returncode == 1
    assert "PROBLEM exception (train.py)" in result.stdout
    assert "It raised OSError at train.py:2: no data." in result.stdout
    assert result.stderr == (
        "Traceback (most recent call last):\n"
        '  File "train.py", line 5, in <module>\n    load()\n'
        "  File \"train.py\", line 2, in load\n    raise OSError('no data')\n"
        "OSError: no data\n"
    )


def test_a_module_is_run_by_its_name(command: Command, tmp_path: Path) -> None:
    """As `python -m` does."""
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__main__.py").write_text("import sys; print(__name__, sys.argv[1:])")
    command("")
    result = subprocess.run(
        [*HARNESS, "diagnose", "-m", "package", "a", "-m"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )

    assert result.stdout.startswith("__main__ ['a', '-m']\n")
    assert result.returncode == 2


def test_wrong_calls_are_refused(command: Command) -> None:
    """With the rule and what was got."""
    result = command("", "--memory", "much")
    missing = subprocess.run(
        [*HARNESS, "diagnose", "none.py"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )

    assert result.returncode == 2
    assert "argument --memory: must be a size such as 500MB or 4GiB, got 'much'" in result.stderr
    assert missing.returncode == 2
    assert (
        missing.stderr == "SCRIPT must be a file, got 'none.py', which is none. Check the path.\n"
    )


def test_a_budget_of_memory_ends_what_grows(command: Command) -> None:
    """The 003 text's killed process, with the size it had and how it grew."""
    script = f"""{FIT}
kept = []
class Keeper(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        kept.append(np.ones((64, 1024, 128)))
model.fit(x, x[:, :1], epochs=100, verbose=0, callbacks=[Keeper()])
"""
    result = command(script, "--memory", "1400MiB")

    assert result.returncode == 1, result.stdout + result.stderr
    assert "PROBLEM out_of_memory (fit at train.py:11)" in result.stdout
    assert "its budget is 1.37 GiB, so it was ended." in " ".join(result.stdout.split())
    assert "growing by 64" in " ".join(result.stdout.split())
    assert "WARNING memory_grows" in result.stdout


def test_a_standstill_is_ended_and_located(command: Command) -> None:
    """By the line that hangs; what came before it is still told."""
    script = f"""{FIT}
import time
class Sleeper(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            time.sleep(1000)
model.fit(x, x[:, :1], epochs=5, verbose=0, callbacks=[Sleeper()])
"""
    result = command(script, "--stall", "45s")

    text = " ".join(result.stdout.split())
    assert result.returncode == 1, result.stdout + result.stderr
    assert "PROBLEM timed_out (fit at train.py:12)" in text
    assert "No progress for 45 s" in text
    assert "train.py:11" in text
    assert "2 epochs of 5 and 4 steps had been done." in text


ENDLESS = f"""{FIT}
import os
class Teller(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 3:
            open("pid", "w").write(str(os.getpid()))
try:
    model.fit(x, x[:, :1], epochs=10**9, verbose=0, callbacks=[Teller()])
finally:
    open("cleaned", "w").write("up")
"""


@pytest.fixture
def started(
    ctrl_c_arrives: None, tmp_path: Path
) -> Iterator[tuple["subprocess.Popen[str]", psutil.Process]]:
    """Return the command on an endless script, and the script's process once it trains."""
    del ctrl_c_arrives
    (tmp_path / "train.py").write_text(ENDLESS, encoding="utf-8")
    process = subprocess.Popen(
        [*HARNESS, "diagnose", "train.py"],
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    pid = tmp_path / "pid"
    while not pid.exists() or not pid.read_text():
        assert process.poll() is None
        time.sleep(0.1)
    child = psutil.Process(int(pid.read_text()))
    yield process, child
    # A test that fails must not leave a training that never ends.
    for left in (process, child):
        with suppress(psutil.NoSuchProcess):
            left.kill()


def test_ctrl_c_is_the_scripts_to_answer(
    started: tuple["subprocess.Popen[str]", psutil.Process], tmp_path: Path
) -> None:
    """It cleans up, the report comes, and the status says that it was interrupted."""
    process, child = started
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=120)

    assert process.returncode == 130
    assert (tmp_path / "cleaned").read_text() == "up"
    assert "Somebody interrupted training." in output
    assert "The script was interrupted." in output
    assert not child.is_running()


def test_nothing_is_left_when_the_command_is_killed(
    started: tuple["subprocess.Popen[str]", psutil.Process],
) -> None:
    """The script ends with who watches it."""
    process, child = started
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs([child], timeout=60)

    assert alive == []
