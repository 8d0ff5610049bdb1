"""The scripts are whole programs, and each known issue of the newest Keras has one."""

from __future__ import annotations

import ast
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.reproductions import scripts as reproductions
from tests.reproductions.__main__ import main
from tests.reproductions.scripts import FOLDER, Report, covered, run, scripts, summary, table

NEWEST = "3.15.1"
SCENARIOS = Path(__file__).parents[2] / "scenarios"


def live_issues() -> list[str]:
    """Every known issue of a scenario that the newest supported Keras has."""
    return [
        f"{path.relative_to(SCENARIOS).with_suffix('').as_posix()}::{issue['id']}"
        for path in sorted(SCENARIOS.rglob("*.toml"))
        for issue in tomllib.loads(path.read_text("utf-8")).get("known_issue", ())
        if NEWEST in Requirement(issue["versions"]).specifier
    ]


def imported(script: Path) -> set[str]:
    """The packages that a script imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(script.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {name.partition(".")[0] for name in names}


def written(folder: Path, name: str, text: str) -> Path:
    """A script of the given text."""
    script = folder / f"{name}.py"
    script.write_text(f'"""The {name} one."""\n{text}\n', "utf-8")
    return script


@pytest.mark.parametrize("script", scripts(), ids=lambda script: script.stem)
def test_a_script_stands_alone(script: Path) -> None:
    """It says what it is about, and anybody who has Keras can run it."""
    allowed = sys.stdlib_module_names | {"keras", "numpy", "tensorflow"}

    assert summary(script).endswith(".")
    assert sorted(imported(script) - allowed) == []


def test_every_live_known_issue_has_a_script() -> None:
    """The list names each known issue once, and neither issues nor scripts that are not there."""
    listed = covered()

    assert sorted(issue for issues in listed.values() for issue in issues) == sorted(live_issues())
    assert sorted(listed) == [script.stem for script in scripts()]


def test_a_script_tells_that_a_defect_is_there() -> None:
    """One of them, on the Keras that is installed."""
    report = run(FOLDER / "exclusion_not_in_config.py")

    assert report.verdict == "present", report.output
    assert report.output.startswith("got:      0.5\nexpected: 1.0\n")


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("print('got: 1'); print('expected: 2'); raise SystemExit(1)", "present"),
        ("print('got: 2'); print('expected: 2')", "absent"),
        ("print('got: 1'); print('expected: 2'); raise SystemExit(3)", "broken"),
        ("raise ValueError", "broken"),
        ("", "broken"),
    ],
)
def test_a_script_that_fails_by_itself_is_broken(tmp_path: Path, text: str, verdict: str) -> None:
    """Its status alone would not tell: a traceback ends with 1 too."""
    assert run(written(tmp_path, "short", text)).verdict == verdict


def test_a_script_that_does_not_end_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is stopped."""
    monkeypatch.setattr(reproductions, "_LONGEST", 0.25)

    report = run(written(tmp_path, "long", "import time; time.sleep(60)"))

    assert (report.verdict, report.output) == ("broken", "stopped after 0 seconds")


def test_the_table_is_markdown() -> None:
    """A row for each script."""
    report = Report(script="short", summary="The short one.", verdict="absent", output="")

    assert table((report,)) == (
        "| script | what it shows | defect |\n|---|---|---|\n| `short` | The short one. | absent |"
    )


def test_the_command_fails_where_a_script_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And names it; a defect that is there or not is no failure."""
    written(tmp_path, "sound", "print('got: 1'); print('expected: 2'); raise SystemExit(1)")
    written(tmp_path, "other", "print('something else')")
    monkeypatch.setattr(reproductions, "FOLDER", tmp_path)

    assert main(["--only", "sound"]) == 0
    assert "| `sound` | The sound one. | present |" in capsys.readouterr().out
    assert main([]) == 1
    assert capsys.readouterr().err.endswith("\nbroken: other\nsomething else\n")
    assert main(["--only", "nothing"]) == 1
