"""``python -m harness.benchmark`` and `harness benchmark`: one measures, the other many."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from harness.benchmark import command, measuring
from harness.cli.main import main
from harness.pipeline.backend import backend_name
from harness.pipeline.device import Device
from tests.benchmark.conftest import DATA

if TYPE_CHECKING:
    from pathlib import Path

# Keras' own, on other backends than TensorFlow.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't:DeprecationWarning"
)

MEASURED = f'title = "A tiny network"\n{DATA}[benchmark]\nwarmup_steps = 1\nsteps = 3\n'
GPU = f'title = "A tiny network"\n{DATA}[benchmark]\ndevice = "gpu"\n'
JUDGED = 'title = "Not measured"\n[[expect]]\nkind = "invariant"\nname = "counts_agree"\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of scenarios: measured, for a GPU, and judged only."""
    monkeypatch.setattr(measuring, "device", lambda: Device(kind="cpu", name="", count=1))
    area = tmp_path / "scenarios"
    area.mkdir()
    for name, text in (("a", MEASURED), ("b", GPU), ("c", JUDGED)):
        (area / f"{name}.toml").write_text(text, encoding="utf-8")
    return area


def test_one_document_is_all_there_is_on_standard_output(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who reads it needs no parser but JSON's."""
    assert command.main([str(folder / "a.toml"), "--rounds", "2", "--steps", "4", "--json"]) == 0

    table = json.loads(capsys.readouterr().out)
    assert table["scenario"] == "scenarios/a"
    assert table["measured"]["steps"] == 4
    assert len(table["measured"]["round_seconds"]) == 2


def test_a_person_reads_lines(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --json it is a text."""
    assert command.main([str(folder / "a.toml"), "--rounds", "2"]) == 0

    assert "examples a second" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("b.toml", "not judged: no GPU"),
        ("c.toml", "must have a [benchmark] table to be measured, got none."),
        ("d.toml", "file must exist, got no such file."),
    ],
)
def test_what_cannot_be_measured_says_why(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, message: str
) -> None:
    """On standard error, with status 2; standard output stays empty."""
    assert command.main([str(folder / name), "--json"]) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err


def test_an_interrupt_ends_it(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Like any program that somebody stops."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "measure", interrupted)

    assert command.main([str(folder / "a.toml")]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_rounds_are_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """None of them measures nothing."""
    with pytest.raises(SystemExit) as caught:
        command.main([str(folder / "a.toml"), "--rounds", "0"])

    assert caught.value.code == 2
    assert "must be at least 1, got 0" in capsys.readouterr().err


def test_a_folder_is_measured_scenario_by_scenario(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows for a GPU say that there is none; what has no benchmark table is left out."""
    assert main(["benchmark", str(folder), "--rounds", "2", "--json"]) == 0

    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["scenario"] == "scenarios/a"
    assert second == {"scenario": "scenarios/b", "reason": "not judged: no GPU"}


def test_a_table_for_a_document(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Head, line and a row for each."""
    assert main(["benchmark", str(folder), "--rounds", "2", "--markdown"]) == 0

    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == 4
    assert rows[-1].startswith("| `scenarios/b` | not judged: no GPU |")
    assert {row.count("|") for row in rows} == {8}


def test_nothing_to_measure_is_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A typing error must not look like a measurement."""
    assert main(["benchmark", str(folder / "c.toml")]) == 2

    assert "must have a [benchmark] table, got none with one." in capsys.readouterr().err


@pytest.mark.skipif(backend_name() != "tensorflow", reason="nothing is judged elsewhere")
def test_running_what_is_only_measured_tells_so(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It expects nothing, so nothing can fail."""
    assert main(["run", str(folder / "a.toml")]) == 0

    assert "only measured  scenarios/a: use `harness benchmark" in capsys.readouterr().out
