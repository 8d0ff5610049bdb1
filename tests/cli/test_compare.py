"""`harness compare`: what it prints, and its exit statuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.cli import main
from tests.comparison.workers import environment, install

if TYPE_CHECKING:
    from harness.comparison.preparing import Prepared

SCENARIO = """
title = "A dense network trains at a known speed"

[pipeline]
data = { kind = "linear_regression", examples = 16, batch_size = 8 }
model = { kind = "mlp", units = [4, 1] }

[benchmark]
steps = 4
"""


@pytest.fixture(autouse=True)
def _made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that train nothing, in environments of variables only."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_CACHE_DIR", str(tmp_path / "cache"))
    install(tmp_path, monkeypatch)

    def prepare(spec: object, *_: object) -> Prepared:
        return environment(tmp_path, **dict(spec.variables))  # type: ignore[attr-defined]

    monkeypatch.setattr("harness.cli.compare.prepare", prepare)
    Path("area").mkdir()
    Path("area/fast.toml").write_text(SCENARIO)


def _compare(*arguments: str) -> int:
    return main(["compare", *arguments, "area/fast.toml", "--budget", "1"])


def test_no_regression(capsys: pytest.CaptureFixture[str]) -> None:
    """Status 0, a line a metric with ratio, interval, margin and what could have been seen."""
    assert _compare(".", "SEED=2") == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "area/fast: A dense network trains at a known speed",
        "  A  .  (keras 3.15.1)",
        "  B  SEED=2  (keras 3.15.1)",
    ]
    assert lines[3].startswith("  step time      no change: B/A ")
    assert ", A is 10.0" in lines[3]
    assert " ms; margin 5%, could have seen +" in lines[3]
    assert lines[4].startswith("  compile time   no change: B/A ")
    assert "; margin 25%, " in lines[4]
    assert lines[5].startswith(
        "  peak memory    no change: B/A 1.000 [1.000, 1.000], A is 286.1 MiB"
    )
    assert lines[6].endswith("intervals hold at 99.67%, false alarms at most 1%")


def test_a_regression(capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1, in capitals."""
    assert _compare(".", "STEP=0.012,SEED=2") == 1
    assert "  step time      REGRESSION: B/A 1.20" in capsys.readouterr().out


def test_a_wider_margin(capsys: pytest.CaptureFixture[str]) -> None:
    """What does not matter is no regression."""
    assert _compare(".", "STEP=0.0104,SEED=2", "--margin", "0.2") == 0
    assert "; margin 20%, " in capsys.readouterr().out


def test_what_breaks_could_not_be_judged(capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2, and other scenarios are compared all the same."""
    assert _compare(".", "REFUSES=1") == 2
    assert "REFUSES=1 must train the scenario, got: no such layer" in capsys.readouterr().err


def test_a_training_that_cannot_be_measured(capsys: pytest.CaptureFixture[str]) -> None:
    """A scenario without a benchmark table is measured all the same, unless it drives no model."""
    expect = '[[expect]]\nkind = "stops"\nreason = "completed"\n'
    Path("area/fast.toml").write_text(SCENARIO.partition("[benchmark]")[0] + expect)
    assert _compare(".", "SEED=2") == 0
    driven = '[pipeline]\ntraining = { kind = "apply_gradients", gradients = [[1.0]] }\n'
    driven += 'model = { kind = "variables", shapes = [[1]] }\n'
    Path("area/fast.toml").write_text(f'title = "Nothing is trained"\n{driven}{expect}')
    capsys.readouterr()

    assert _compare(".", "SEED=2") == 2
    said = capsys.readouterr().err
    assert "training.kind must be fit, train_on_batch or gradient_tape in a benchmark" in said


def test_what_is_not_about_this_machine_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing else is left, it could not be judged."""
    assert _compare(".", "LEFT_OUT=1") == 2
    assert capsys.readouterr().err == ("area/fast.toml: left out, LEFT_OUT=1: not judged: no GPU\n")


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    """One document with every pair."""
    assert _compare(".", "SEED=2", "--json") == 0

    found = json.loads(capsys.readouterr().out)
    assert (found["a"], found["b"]) == (".", "SEED=2")
    (scenario,) = found["scenarios"]
    assert scenario["verdict"] == "no change"
    assert scenario["metrics"][0]["pairs"] <= len(scenario["pairs"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([".", "main", "area"], "environment 'main' must give a package and its version"),
        ([".", "SEED=2", "cache"], "cache: file must exist, got no such file."),
        ([".", ".", "area", "--results", "--seeds", "2"], "--seeds must be at least 5, got 2."),
    ],
)
def test_what_is_refused(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2, and what to do."""
    assert main(["compare", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_cleaning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Removes what is kept, and nothing beside it."""
    kept = tmp_path / "cache" / "environments"
    kept.mkdir(parents=True)
    (kept / "CACHEDIR.TAG").write_text("")
    (tmp_path / "cache" / "peaks.json").write_text("")

    with pytest.raises(SystemExit) as raised:
        main(["compare", "--clean"])
    assert raised.value.code == 0
    assert capsys.readouterr().out == f"{kept} is gone, which gives back 0 MiB.\n"
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["peaks.json"]


def test_a_folder_that_is_no_cache(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is not removed, and the status says so."""
    with pytest.raises(SystemExit) as raised:
        main(["compare", "--cache", str(tmp_path), "--clean"])
    assert raised.value.code == 2
    assert "must be a cache of the harness to be removed" in capsys.readouterr().err


@pytest.mark.parametrize("bad", [["--margin", "5"], ["--budget", "-1"], ["--margin", "0"]])
def test_numbers_out_of_range(bad: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Are a wrong call."""
    with pytest.raises(SystemExit) as raised:
        _compare(".", ".", *bad)
    assert raised.value.code == 2
    assert f"argument {bad[0]}: must" in capsys.readouterr().err
