"""The commands that train nothing: check, list, schema; and wrong arguments."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import harness
from harness.cli import main
from tests.cli.files import ISSUE, TITLE, write
from tests.runner.synthetic import BOUND, SEED


@pytest.mark.usefixtures("training")
def test_check_counts_files_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    """Folders are searched; files of other tools and hidden folders are not."""
    write("a/one.toml", BOUND)
    write("a/b/two.toml", BOUND)
    write("a/pyproject.toml")
    write("a/.tox/three.toml")

    assert main(["check", "a"]) == 0
    assert main(["check", "a/one.toml", "a/one.toml"]) == 0
    assert capsys.readouterr().out == (
        "2 scenario files are in order.\n1 scenario file is in order.\n"
    )


@pytest.mark.usefixtures("training")
def test_check_tells_every_problem_of_every_file(capsys: pytest.CaptureFixture[str]) -> None:
    """Each in a line of its own, status 1."""
    write("a/one.toml")
    Path("a/two.toml").write_bytes(b"title = \xff")
    write("a/good.toml", BOUND)

    assert main(["check", "a"]) == 1

    captured = capsys.readouterr()
    assert captured.out == ""
    assert [line.split(":")[0] for line in captured.err.splitlines()] == [
        "a/one.toml",
        "a/two.toml",
    ]


@pytest.mark.usefixtures("training")
def test_a_missing_file_is_a_problem(capsys: pytest.CaptureFixture[str]) -> None:
    """Of a check as of a run."""
    assert main(["check", "none.toml"]) == 1
    assert main(["run", "none.toml"]) == 2
    assert capsys.readouterr().err == 2 * (
        "none.toml: file must exist, got no such file. Check the path.\n"
    )


@pytest.mark.parametrize("command", ["check", "run", "list"])
@pytest.mark.usefixtures("training")
def test_a_folder_without_scenarios_is_a_mistake(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """Nothing was checked, so nothing is in order."""
    Path("empty").mkdir()

    assert main([command, "empty"]) == 2
    assert capsys.readouterr().err == (
        "empty must hold scenario files, got a folder without any.\n"
    )


@pytest.mark.usefixtures("training")
def test_list_shows_titles_and_issues(capsys: pytest.CaptureFixture[str]) -> None:
    """By default of the folder `scenarios`; a bad file does not hide the others."""
    write("scenarios/a/bad.toml")
    write("scenarios/a/k.toml", SEED, BOUND, ISSUE)

    assert main(["list"]) == 1

    captured = capsys.readouterr()
    assert captured.out == (
        "scenarios/a/k.toml\n    Losses stay small\n"
        "    known issue loses (keras>=3.10): It loses too much.\n"
    )
    assert captured.err.startswith("scenarios/a/bad.toml")


def test_list_makes_tables_for_documents(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Known issues and claims, one row each; what would end a cell is written otherwise."""
    file = tmp_path / "area" / "one.toml"
    file.parent.mkdir()
    file.write_text(TABLES, encoding="utf-8")

    assert main(["list", "--issues", str(file)]) == 0
    assert capsys.readouterr().out.splitlines()[2:] == [
        "| `area/one` loses | It loses a &#124; b. | keras>=3.0 |"
    ]
    assert main(["list", "--claims", str(file)]) == 0
    assert capsys.readouterr().out.splitlines()[2:] == [
        "| 003 | It ends early. | refuted | It does not. | `area/one` |"
    ]


TABLES = """
title = "Losses go down"

[[expect]]
kind = "bound"
figure = "final_loss"
at_most = 1.0
because = "so"

[[known_issue]]
id = "loses"
versions = "keras>=3.0"
reason = "It loses a | b."
expectation = "bound.final_loss"

[[claim]]
text = "003"
says = "It ends early."
verdict = "refuted"
finding = "It does not."
"""


def test_list_shows_invariants(capsys: pytest.CaptureFixture[str]) -> None:
    """Every check by name, with the rule that it states."""
    assert main(["list", "--invariants"]) == 0

    lines = capsys.readouterr().out.splitlines()
    names = [line for line in lines if not line.startswith(" ")]
    assert names == sorted(names)
    assert "early_stopping_follows_automaton" in names
    assert all(line.strip() for line in lines)
    assert len(lines) == 2 * len(names)


def test_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    """It can be given to an editor as it is."""
    assert main(["schema"]) == 0
    assert "title" in json.loads(capsys.readouterr().out)["$defs"]["ScenarioSpec"]["properties"]


@pytest.mark.parametrize("arguments", [[], ["fly"], ["run"], ["run", "a", "--profile", "slow"]])
def test_wrong_arguments_end_with_status_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    """The usage goes to standard error."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)

    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("usage: harness")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """The version of the package."""
    with pytest.raises(SystemExit) as caught:
        main(["--version"])

    assert caught.value.code == 0
    assert capsys.readouterr().out == f"{harness.__version__}\n"


def test_reading_a_file_loads_nothing_heavy(tmp_path: Path) -> None:
    """`harness check` is quick: neither NumPy nor Keras nor Hypothesis."""
    (tmp_path / "s.toml").write_text(TITLE + BOUND, encoding="utf-8")
    code = (
        "import sys; from harness.cli import main; status = main(['check', 's.toml']);"
        "heavy = {'numpy', 'keras', 'tensorflow', 'hypothesis'} & set(sys.modules);"
        "sys.exit(f'{heavy}' if heavy else status)"
    )

    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert (result.returncode, result.stderr) == (0, "")


def test_a_reader_who_leaves_is_no_error(tmp_path: Path) -> None:
    """A closed pipe ends the command quietly, and not as a pass."""
    with subprocess.Popen(
        [sys.executable, "-c", "from harness.cli import main; raise SystemExit(main(['schema']))"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()

    assert (process.returncode, errors) == (1, b"")
