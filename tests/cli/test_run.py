"""`harness run`: exit statuses, what it prints where, and what it makes of bad input."""

import shlex
from pathlib import Path

import pytest

from harness.cli import main
from harness.errors import MissingBackendError
from harness.runner.replay_command import replay_command
from harness.spec.loader import load_scenario
from harness.trace import Stop, StopReason, read_trace
from tests.cli.files import ISSUE, write
from tests.runner.synthetic import BOUND, SEED, MadeUpTraining


def test_run_tells_what_passed(
    training: MadeUpTraining, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line a file, status 0."""
    training.loss = lambda _: 1.0
    write("scenarios/a/one.toml", BOUND)
    write("scenarios/a/two.toml", SEED, BOUND)

    assert main(["run", "scenarios"]) == 0
    assert capsys.readouterr().out == "passed  a/one\npassed  a/two: 10 examples\n"


@pytest.mark.usefixtures("training")
def test_run_explains_what_failed(capsys: pytest.CaptureFixture[str]) -> None:
    """The line, then the whole text, status 1."""
    write("a/bad.toml", BOUND, "[pipeline]\nseed = 12")

    assert main(["run", "a/bad.toml"]) == 1

    out = capsys.readouterr().out
    assert out.startswith("failed  a/bad: small\n\nLosses stay small\n  a/bad.toml: small\n")
    assert "\n    harness run a/bad.toml\n" in out


def test_run_takes_profile_and_seed(training: MadeUpTraining) -> None:
    """They say how much is drawn, and from where."""
    training.loss = lambda _: 1.0
    write("a/s.toml", "examples = 3", SEED, BOUND)
    runs = []
    for arguments in (["--seed", "5"], ["--seed", "5"], ["--profile", "ci", "--seed", "5"]):
        training.pipelines.clear()
        assert main(["run", "a/s.toml", *arguments]) == 0
        runs.append(training.seeds)

    assert runs[0] == runs[1]
    assert [len(seeds) for seeds in runs] == [3, 3, 9]


def test_run_judges_known_issues(
    training: MadeUpTraining, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that shows is no failure, one that is gone is."""
    write("a/k.toml", SEED, BOUND, ISSUE)
    training.loss = lambda pipeline: 99.0 if pipeline.seed >= 50 else 1.0
    assert main(["run", "a/k.toml"]) == 0
    assert "known issue  a/k [loses]: It loses too much.\n" in capsys.readouterr().out

    training.loss = lambda _: 1.0
    assert main(["run", "a/k.toml"]) == 1
    assert "fixed  a/k [loses]" in capsys.readouterr().out


def test_a_bad_file_does_not_keep_others_from_running(
    training: MadeUpTraining, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its problems go to standard error, the status is 2."""
    training.loss = lambda _: 1.0
    write("a/bad.toml", BOUND, "[pipeline]\nseeed = 1")
    write("a/good.toml", BOUND)

    assert main(["run", "a"]) == 2

    captured = capsys.readouterr()
    assert captured.out == "passed  a/good\n"
    assert captured.err.startswith("a/bad.toml:")
    assert "pipeline.seeed must" in captured.err
    assert "Traceback" not in captured.err


@pytest.mark.usefixtures("training")
def test_a_draw_of_a_known_issue_is_told_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """It is no failure, but who asks for that draw wants to see it."""
    write("a/k.toml", SEED, BOUND, ISSUE)

    assert main(["run", "a/k.toml", "--draw", '{"seed": 60}']) == 0
    known = capsys.readouterr().out
    assert known.startswith("known issue  a/k [loses]: It loses too much.\n")
    assert "final_loss is 60" in known

    assert main(["run", "a/k.toml", "--draw", '{"seed": 49}']) == 1
    assert capsys.readouterr().out.startswith("failed  a/k: small\n")


def test_the_command_of_a_failure_runs_it_again(
    training: MadeUpTraining, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever was drawn, NaN too, comes through the shell and out as the same pipeline."""
    path = write(
        "my folder/it's.toml",
        '[pipeline.optimizer]\nkind = "sgd"',
        '[vary]\n"optimizer.momentum" = { floats = [0.0, 1.0] }',
        BOUND,
    )
    scenario = load_scenario(path)
    draw = {"optimizer.momentum": 0.1, "seed": 3}

    words = shlex.split(replay_command(scenario, draw))

    assert main(words[1:]) == 0
    assert training.pipelines == [scenario.pipeline_for(draw)]
    assert capsys.readouterr().out.startswith("passed  my folder/it's: Training ran all")


def test_nan_in_a_draw_is_understood(training: MadeUpTraining) -> None:
    """Scripts of monitored values hold not-a-number."""
    write(
        "a/n.toml",
        '[[pipeline.callbacks]]\nkind = "early_stopping"\nscripted = true\nmonitor = "loss"',
        "script = [1.0]",
        BOUND,
    )

    main(["run", "a/n.toml", "--draw", '{"callbacks.0.script": [NaN, -Infinity]}'])

    script = training.pipelines[0].callbacks[0].model_dump()["script"]
    assert [str(value) for value in script] == ["nan", "-inf"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "{seed: 1}",
            (
                "--draw must be JSON, got '{seed: 1}': Expecting property name enclosed in double "
                "quotes: line 1 column 2 (char 1)."
            ),
        ),
        ("[1]", "--draw must be a JSON object of dotted keys, got '[1]'."),
    ],
)
@pytest.mark.usefixtures("training")
def test_a_draw_that_is_no_table_is_refused(
    capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    """What was given, and what is wrong with it; status 2."""
    write("a/s.toml", SEED, BOUND)

    assert main(["run", "a/s.toml", "--draw", text]) == 2
    assert capsys.readouterr().err == f"{message}\n"


@pytest.mark.usefixtures("training")
def test_a_draw_that_makes_no_pipeline_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The rule, as for a file."""
    write("a/s.toml", SEED, BOUND)

    assert main(["run", "a/s.toml", "--draw", '{"training.epochs": 0}']) == 2
    assert capsys.readouterr().err == "a/s.toml: pipeline.training.epochs must be >= 1, got 0.\n"


def test_the_trace_of_a_draw_can_be_kept(
    training: MadeUpTraining, capsys: pytest.CaptureFixture[str]
) -> None:
    """It reads back; without a draw it is that of the pipeline in the file."""
    training.loss = lambda _: 2.5
    write("a/s.toml", BOUND)

    assert main(["run", "a/s.toml", "--trace", "run.npz"]) == 0
    assert capsys.readouterr().out.startswith("trace written to run.npz\n")
    assert read_trace(Path("run.npz")).figure("final_loss") == 2.5


@pytest.mark.usefixtures("training")
def test_a_trace_that_cannot_be_written_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """In one line, status 2."""
    write("a/s.toml", BOUND)

    assert main(["run", "a/s.toml", "--trace", "no/run.npz"]) == 2
    assert capsys.readouterr().err == (
        "no/run.npz must be a file that can be written, got No such file or directory.\n"
    )


@pytest.mark.usefixtures("training")
def test_a_draw_goes_with_one_file(capsys: pytest.CaptureFixture[str]) -> None:
    """One draw of two scenarios means nothing."""
    assert main(["run", "a.toml", "b.toml", "--draw", "{}"]) == 2
    assert capsys.readouterr().err == "--draw and --trace go with one file.\n"


def test_a_draw_that_breaks_down_fails(
    training: MadeUpTraining, capsys: pytest.CaptureFixture[str]
) -> None:
    """As it does in a whole run."""
    training.stop = lambda _: Stop(reason=StopReason.ERROR, evidence="no such layer")
    write("a/s.toml", BOUND)

    assert main(["run", "a/s.toml", "--draw", "{}"]) == 1
    assert "The run broke down: Training ended with an error. no such layer." in (
        capsys.readouterr().out
    )


def test_a_draw_with_nothing_to_judge_is_no_pass(
    training: MadeUpTraining,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The expectation and why; status 2."""
    from harness.invariants.base import NothingToJudge

    def nothing(*_: object, **__: object) -> None:
        message = "no plateau"
        raise NothingToJudge(message)

    monkeypatch.setattr("harness.runner.judging.judge", nothing)
    write("a/s.toml", BOUND)

    assert main(["run", "a/s.toml", "--draw", "{}"]) == 2
    captured = capsys.readouterr()
    assert captured.err == "small had nothing to judge: no plateau\n"
    assert captured.out == ""
    assert len(training.pipelines) == 1


@pytest.mark.usefixtures("training")
def test_a_missing_backend_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What to install, status 2, no traceback."""

    def missing() -> None:
        message = "keras must be importable to train anything, got nothing. Install one."
        raise MissingBackendError(message)

    monkeypatch.setattr("harness.runner.properties.installed_versions", missing)
    write("a/s.toml", BOUND)

    assert main(["run", "a/s.toml"]) == 2
    assert capsys.readouterr().err == (
        "keras must be importable to train anything, got nothing. Install one.\n"
    )
