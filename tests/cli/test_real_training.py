"""From a failing scenario to its replay, with real training."""

import shlex
from pathlib import Path

import pytest

from harness.cli import main
from harness.trace import read_trace

SCENARIO = """
title = "A training that forgets to learn"
examples = 5

[pipeline]
data = { kind = "linear_regression", examples = 16, batch_size = 8, source = "dataset" }
model = { kind = "mlp", units = [1] }
optimizer = { kind = "sgd", learning_rate = 0.0 }

[vary]
"training.epochs" = { integers = [1, 4] }

[[expect]]
kind = "bound"
figure = "steps"
at_most = 2
because = "one epoch has two steps; the scenario is made to fail beyond it"
"""


def test_the_replay_of_a_failure_fails_the_same_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The printed command runs the smallest draw again, and its trace can be kept and read."""
    monkeypatch.chdir(tmp_path)
    Path("area").mkdir()
    Path("area/forgets.toml").write_text(SCENARIO, encoding="utf-8")

    assert main(["run", "area/forgets.toml"]) == 1
    first = capsys.readouterr().out
    assert "steps is 4: above, it must be at most 2" in first
    command = next(line for line in first.splitlines() if "harness run" in line)

    assert main([*shlex.split(command)[1:], "--trace", "run.npz"]) == 1
    second = capsys.readouterr().out
    assert "steps is 4: above, it must be at most 2" in second
    trace = read_trace(Path("run.npz"))
    assert [len(trace.steps), len(trace.epochs)] == [4, 2]
