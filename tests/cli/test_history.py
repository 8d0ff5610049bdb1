"""The commands of `harness history`."""

import json
from pathlib import Path

import pytest

from harness.cli import main
from harness.cli.sparkline import ASCII, BLOCKS, sparkline
from harness.history.lines import append_lines
from harness.history.opening import open_history
from tests.history.rows import NEWER, commit, noisy, row, rows


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty folder with a history that the environment names."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_HISTORY", "h.sqlite")
    monkeypatch.setattr("getpass.getuser", lambda: "me")
    with open_history("h.sqlite") as history:
        history.add_all(rows([0.5] * 20 + [0.6] * 2))
        history.add_all(rows(noisy(30, level=3.0), scenario="area/two", metric="x", unit=""))
        history.add_all(rows([1.0] * 3, scenario="test_it.py::test_it[1]", metric="y", unit=""))


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines on standard output."""
    return capsys.readouterr().out.splitlines()


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    """One line a series; by name, by pattern, by metric."""
    assert main(["history", "list"]) == 0
    header, *lines = said(capsys)
    assert header.split("  ")[0] == "scenario"
    assert [line.split()[:3] for line in lines] == [
        ["area/one", "step_seconds", "s"],
        ["area/two", "x", "-"],
        ["test_it.py::test_it[1]", "y", "-"],
    ]

    for arguments, names in (
        (["area/*"], ["area/one", "area/two"]),
        (["test_it.py::test_it[1]"], ["test_it.py::test_it[1]"]),
        (["--metric", "x"], ["area/two"]),
    ):
        assert main(["history", "list", *arguments, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert [one["scenario"] for one in found] == names


def test_show(capsys: pytest.CaptureFixture[str]) -> None:
    """The newest commits with their figures, and what is not compared."""
    with open_history("h.sqlite") as history:
        history.add(row(0.55, 30, environment=NEWER))

    assert main(["history", "show", "area/one", "--across", "keras", "--last", "2"]) == 0
    assert said(capsys) == [
        "area/one step_seconds",
        "  cores 2, cpu a processor, keras 3.15.1",
        "commit      when (UTC)        branch  value   rows",
        "0000000021  2026-01-02 09:00  main    600 ms  1",
        "0000000030  2026-01-02 18:00  main    550 ms  1",
    ]
    assert main(["history", "show", "area/one"]) == 0
    assert said(capsys)[2] == (
        "  22 rows are not compared: keras 3.14.0 there, 3.15.1 here "
        "(--across keras compares them)."
    )
    assert main(["history", "show", "area/*", "--json"]) == 0
    one, two = json.loads(capsys.readouterr().out)
    assert (len(one["points"]), len(two["points"])) == (1, 30)


def test_trend(capsys: pytest.CaptureFixture[str]) -> None:
    """One line a figure, with what moved; data for a report."""
    assert main(["history", "trend", "area/*"]) == 0
    _, one, two = said(capsys)
    line = "▁" * 20 + "██"
    assert " ".join(one.split()) == f"area/one step_seconds {line} 600 ms regression +20.0 %"
    assert two.endswith("no change")

    assert main(["history", "trend", "area/one", "--json"]) == 0
    (data,) = json.loads(capsys.readouterr().out)
    assert data["change"]["size"] == pytest.approx(0.2)
    assert [point["value"] for point in data["points"]] == [0.5] * 20 + [0.6] * 2


def test_trend_of_a_change_that_is_over(capsys: pytest.CaptureFixture[str]) -> None:
    """It is told, in brackets."""
    with open_history("h.sqlite") as history:
        history.add_all(rows([0.5] * 20 + [0.6] * 2 + [0.499] * 3, scenario="area/three"))

    main(["history", "trend", "area/three", "--margin", "19%"])

    assert said(capsys)[1].endswith("no change (-16.8 %, over)")


def test_verdict_on_everything(capsys: pytest.CaptureFixture[str]) -> None:
    """What moved, a count, and the rate of false alarms; status 1 for a regression."""
    assert main(["history", "verdict"]) == 1
    assert said(capsys) == [
        "regression: area/one step_seconds +20.0 %",
        "    From 500 ms to 600 ms, where nothing scattered before.",
        "    It came with 0000000020: look at 0000000019..0000000020.",
        "3 figures: 1 regression, 1 no change, 1 could not judge",
        (
            "Of flat figures that scatter, at most 1 % are ever called changed in 60 commits; "
            "of those that drift with the machine, more."
        ),
    ]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["area/one"], 1),
        (["area/one", "--margin", "0.25"], 0),
        (["area/two"], 0),
        (["area/*", "--metric", "x"], 0),
        (["test_it.py::test_it[1]"], 2),
    ],
)
def test_verdict_status(arguments: list[str], status: int) -> None:
    """0 no regression, 1 regression, 2 could not judge."""
    assert main(["history", "verdict", *arguments]) == status
    assert main(["history", "verdict", *arguments, "--json"]) == status


def test_verdict_refuses_to_compare_across_environments(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It says what differs, and compares on request."""
    with open_history("h.sqlite") as history:
        history.add_all(row(0.6, number, environment=NEWER) for number in (30, 31))

    assert main(["history", "verdict", "area/one"]) == 2
    assert said(capsys) == [
        "could not judge: area/one step_seconds",
        (
            "    2 commits so far, and it takes 14 to tell a change from scatter (10 where nothing "
            "scatters)."
        ),
        (
            "    22 rows are not compared: keras 3.14.0 there, 3.15.1 here "
            "(--across keras compares them)."
        ),
    ]
    assert main(["history", "verdict", "area/one", "--across"]) == 1
    assert said(capsys)[-1] == "    Compared across environments that differ in keras."


def test_a_change_is_acknowledged_and_withdrawn(capsys: pytest.CaptureFixture[str]) -> None:
    """From then on it is no regression, and then it is one again."""
    known = ["history", "acknowledge", "area/one"]
    assert main([*known, "--reason", "A new initialiser."]) == 0
    assert said(capsys) == [
        "regression: area/one step_seconds +20.0 %",
        "known from 0000000020 on: area/one step_seconds",
    ]
    assert main(["history", "verdict", "area/one"]) == 2
    assert said(capsys)[-1] == "    Judged from 0000000020 on, a known change: A new initialiser."
    assert main(["history", "list", "--decisions"]) == 0
    assert " ".join(said(capsys)[1].split()) == (
        "acknowledged area/one step_seconds 0000000020 me A new initialiser."
    )

    assert main([*known, "--withdraw"]) == 0
    assert main(["history", "verdict", "area/one"]) == 1


def test_a_commit_can_be_acknowledged(capsys: pytest.CaptureFixture[str]) -> None:
    """Where one knows better than the verdict."""
    arguments = ["history", "acknowledge", "area/two", "--at", commit(7)[:10], "--reason", "x"]

    assert main(arguments) == 0
    assert said(capsys) == ["known from 0000000007 on: area/two x"]


def test_figures_go_into_quarantine_and_out(capsys: pytest.CaptureFixture[str]) -> None:
    """All metrics, or one commit; until a day or until somebody says so."""
    kept = ["history", "quarantine", "area/one"]
    assert main([*kept, "--reason", "A sick machine.", "--until", "2999-12-31"]) == 0
    assert main(["history", "verdict", "area/one"]) == 0
    assert said(capsys)[-1] == (
        "    In quarantine until 2999-12-31, it fails nothing: A sick machine."
    )
    assert main(["history", "list", "--decisions", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["metric"] == "(all)"

    assert main([*kept, "--release"]) == 0
    assert main(["history", "verdict", "area/one"]) == 1
    capsys.readouterr()
    for number in (20, 21):
        assert main([*kept, "--revision", commit(number)[:10], "--reason", "x"]) == 0
    assert said(capsys)[-1] == "in quarantine: area/one (all metrics) at 0000000021"
    assert main(["history", "verdict", "area/one"]) == 0


def test_files_are_taken_in_and_written(capsys: pytest.CaptureFixture[str]) -> None:
    """Both forms; what is known already is not taken twice."""
    append_lines(Path("shard.jsonl"), rows([0.7, 0.8], scenario="area/new"))
    assert main(["history", "import", "shard.jsonl"]) == 0
    assert main(["history", "import", "shard.jsonl"]) == 0
    assert main(["history", "export", "all.jsonl"]) == 0
    assert main(["history", "export", "b.json", "--format", "pytest-benchmark"]) == 0
    assert main(["history", "import", "--history", "copy.sqlite", "all.jsonl", "b.json"]) == 0
    assert said(capsys) == [
        "shard.jsonl: 2 new, 0 known already",
        "shard.jsonl: 0 new, 2 known already",
        "all.jsonl: 57 measurements",
        "b.json: 1 measurement",
        "all.jsonl: 57 new, 0 known already",
        "b.json: 0 new, 1 known already",
    ]
    assert main(["history", "export", "-", "--scenario", "area/new"]) == 0
    assert [json.loads(line)["value"] for line in said(capsys)] == [0.7, 0.8]


def test_a_damaged_line_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """The others are taken in, and the status is 1."""
    append_lines(Path("shard.jsonl"), rows([0.7], scenario="area/new"))
    Path("shard.jsonl").write_text(Path("shard.jsonl").read_text() + "{half")

    assert main(["history", "import", "shard.jsonl"]) == 1

    captured = capsys.readouterr()
    assert captured.out == "shard.jsonl: 1 new, 0 known already\n"
    assert captured.err.startswith("left out: shard.jsonl:2: line must be JSON")


def test_an_export_of_other_environments_says_what_it_leaves_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One file of pytest-benchmark is about one machine."""
    with open_history("h.sqlite") as history:
        history.add_all([row(0.6, 21, environment=NEWER, scenario="area/new")])
    arguments = ["--format", "pytest-benchmark", "--revision", commit(21)]

    assert main(["history", "export", "b.json", *arguments]) == 0
    assert capsys.readouterr().err == "left out: 2 measurements in other environments\n"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            ["verdict", "none"],
            (
                "scenario must be in h.sqlite, got 'none'. It has area/one, area/two, "
                "test_it.py::test_it[1]."
            ),
        ),
        (["verdict", "area/one", "--metric", "z"], "metric must be one of area/one, got 'z'."),
        (["verdict", "--history", "none"], "history must exist, got none, which is no file."),
        (["import", "none.jsonl"], "none.jsonl must be a file that can be read, got No such file"),
        (["export", "x/y"], "x/y must be a file that can be written, got No such file"),
        (["export", "x", "--revision", "dead"], "export must have something to write, got no"),
        (["acknowledge", "area/one"], "--reason must say why, got nothing. Others will read it."),
        (
            ["acknowledge", "area/two", "--reason", "x"],
            "acknowledge must find an open change of area/two, got none. See: harness history tr",
        ),
        (
            ["acknowledge", "area/two", "--reason", "x", "--at", "dead"],
            "acknowledge must find a commit that was measured of area/two, got none.",
        ),
        (["acknowledge", "area/two", "--withdraw"], "withdraw must find what was acknowledged"),
        (["quarantine", "area/two", "--release"], "release must find a quarantine of area/two"),
        (
            ["quarantine", "area/two", "--reason", "x", "--until", "soon"],
            "--until must be a day such as 2026-12-31, got 'soon'.",
        ),
        (
            ["quarantine", "area/two", "--reason", "x", "--revision", "dead"],
            "--revision must be one commit of area/two, 'dead' got none.",
        ),
        (
            ["quarantine", "area/two", "--reason", "x", "--revision", "0"],
            "--revision must be one commit of area/two, '0' got 30 that begin so.",
        ),
    ],
)
def test_mistakes_are_told(
    capsys: pytest.CaptureFixture[str], arguments: list[str], text: str
) -> None:
    """In a sentence, with status 2 and no traceback."""
    assert main(["history", *arguments]) == 2

    captured = capsys.readouterr()
    assert captured.err.startswith(text)
    assert captured.out == ""


def test_no_history_at_all_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the way to get one; the folder's own is found without a name."""
    monkeypatch.delenv("HARNESS_HISTORY")
    assert main(["history", "list"]) == 2
    assert capsys.readouterr().err == (
        "history must be named, got neither --history nor HARNESS_HISTORY nor "
        ".harness/history.sqlite. A session makes one: pytest --harness-history=PATH.\n"
    )

    append_lines(Path("shard.jsonl"), rows([0.7], scenario="area/new"))
    assert main(["history", "import", "shard.jsonl"]) == 0
    assert main(["history", "list"]) == 0


@pytest.mark.parametrize(
    "arguments", [["--margin", "5"], ["--margin", "much"], ["--last", "0"], ["--last", "x"]]
)
def test_numbers_that_mean_nothing(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    """Refused with what is possible."""
    command = "verdict" if "--margin" in arguments else "show"
    with pytest.raises(SystemExit) as caught:
        main(["history", command, "area/one", *arguments])

    assert caught.value.code == 2
    assert "must be a" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([], ""),
        ([1.0], "▅"),
        ([1.0, 1.0], "▅▅"),
        ([0.0, 0.5, 1.0], "▁▅█"),
        ([0.0, float("nan"), 1.0], "▁x█"),
        ([float("nan")], "x"),
    ],
)
def test_sparkline(values: list[float], line: str) -> None:
    """The lowest sign for the least value."""
    assert sparkline(values, signs=BLOCKS) == line


def test_a_long_series_is_pooled() -> None:
    """Each sign is the median of its neighbours: one accident does not show."""
    line = sparkline([0.0] * 99 + [1.0] * 100 + [9.0], width=20, signs=ASCII)

    assert line == "_" * 10 + "#" * 10
