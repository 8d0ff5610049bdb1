"""Which files are scenarios, and what becomes of bad ones."""

import pytest

from tests.plugin.conftest import Session, WriteFile, text_of
from tests.runner.synthetic import BOUND, SEED

ISSUE = """
[[known_issue]]
id = "loses"
versions = "keras>=3.10"
reason = "It loses too much."
expectation = "small"
when = [{ seed = { at_least = 50 } }]
example = { seed = 60 }
"""


def collected(session: Session, *arguments: str) -> list[str]:
    """Return the node ids of a session."""
    result = session("--collect-only", "-q", *arguments)
    return [line for line in result.outlines if "::" in line]


def test_scenario_folders_are_collected(session: Session, write: WriteFile) -> None:
    """TOML files in folders named `scenarios`, at any depth; one item for each known issue."""
    write("scenarios/area/one.toml")
    write("package/scenarios/two.toml", text_of(SEED, BOUND, ISSUE))

    assert collected(session) == [
        "package/scenarios/two.toml::property",
        "package/scenarios/two.toml::known_issue[loses]",
        "scenarios/area/one.toml::property",
    ]


def test_other_toml_is_left_alone(session: Session, write: WriteFile) -> None:
    """Files elsewhere, and those of other tools wherever they lie."""
    write("elsewhere/one.toml")
    write("scenarios/pyproject.toml")
    write("scenarios/ruff.toml")
    write("scenarios/.hidden.toml")
    write("pyproject.toml")

    assert collected(session) == []


def test_a_named_file_is_a_scenario_wherever_it_lies(session: Session, write: WriteFile) -> None:
    """Who names a file means it."""
    write("elsewhere/one.toml")

    assert collected(session, "elsewhere/one.toml") == ["elsewhere/one.toml::property"]


def test_a_named_file_of_another_tool_is_none(session: Session, pytester: pytest.Pytester) -> None:
    """`pyproject.toml` is never a scenario."""
    pytester.makepyprojecttoml("[tool.something]\nx = 1\n")

    assert session("pyproject.toml").ret != pytest.ExitCode.TESTS_FAILED
    assert collected(session, "pyproject.toml") == []


def test_a_folder_named_on_the_command_line_is_searched_like_any(
    session: Session, write: WriteFile
) -> None:
    """Only its `scenarios` count."""
    write("mine/scenarios/one.toml")
    write("mine/two.toml")

    assert collected(session, "mine") == ["mine/scenarios/one.toml::property"]


@pytest.mark.parametrize(
    ("entry", "names"),
    [
        ("checks", ["checks/deep/two.toml", "checks/one.toml"]),
        ("checks/one.toml", ["checks/one.toml"]),
        ("checks/*.toml", ["checks/one.toml"]),
        ("checks/**/*.toml", ["checks/deep/two.toml", "checks/one.toml"]),
        ("*/deep", ["checks/deep/two.toml"]),
        ("check", []),
    ],
)
def test_ini_paths_are_folders_or_patterns(
    session: Session, write: WriteFile, pytester: pytest.Pytester, entry: str, names: list[str]
) -> None:
    """`harness_paths` adds to the folders named `scenarios`."""
    write("checks/one.toml")
    write("checks/deep/two.toml")
    pytester.makeini(f"[pytest]\nharness_paths =\n    {entry}\n")

    assert sorted(collected(session)) == [f"{name}::property" for name in names]


def test_a_checkout_below_a_folder_named_scenarios_is_looked_at(
    session: Session, write: WriteFile, pytester: pytest.Pytester
) -> None:
    """Above the root the name says little: the text must look like a scenario."""
    write("scenarios/project/one.toml")
    (pytester.path / "scenarios/project/config.toml").write_text("[tool]\nname = 'x'\n")
    (pytester.path / "scenarios/project/pytest.ini").write_text("[pytest]\n")

    names = collected(
        session,
        "--rootdir=scenarios/project",
        "-c",
        "scenarios/project/pytest.ini",
        "scenarios/project",
    )

    assert [name.split("/")[-1] for name in names] == ["one.toml::property"]


def test_a_bad_file_fails_alone(session: Session, write: WriteFile) -> None:
    """All of its problems, no traceback, and the other scenarios run."""
    write("scenarios/bad.toml", text_of("[pipeline]\nbatch = 1\nseeed = 2"))
    write("scenarios/good.toml")

    result = session()

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*scenarios/bad.toml is not a scenario*"])
    text = result.stdout.str()
    assert "scenarios/bad.toml: expect must be given.\n" in text
    assert "scenarios/bad.toml:3: pipeline.batch must" in text
    assert "scenarios/bad.toml:4: pipeline.seeed must" in text
    assert "Traceback" not in text
    assert "SpecError" not in text


def test_bad_bytes_fail_alone(
    session: Session, write: WriteFile, pytester: pytest.Pytester
) -> None:
    """A file that is not UTF-8, one that is not TOML, one that is far too large."""
    write("scenarios/good.toml")
    folder = pytester.path / "scenarios"
    (folder / "bytes.toml").write_bytes(b"title = '\xff'\n")
    (folder / "huge.toml").write_bytes(b"#" * (10 * 1024 * 1024))
    (folder / "no.toml").write_text("title == 1\n")
    (folder / "empty.toml").write_text("")

    result = session()

    result.assert_outcomes(passed=1, failed=4)
    result.stdout.fnmatch_lines_random(
        [
            "scenarios/bytes.toml:1: file must be UTF-8 text, got byte 0xff *",
            "scenarios/huge.toml: file must be at most * bytes long, got 10485760 bytes.*",
            "scenarios/no.toml:1: file must be valid TOML, got *",
            "scenarios/empty.toml: file must hold a scenario, got an empty file.*",
        ]
    )
    assert "Traceback" not in result.stdout.str()


def test_a_bad_file_is_a_collection_error_where_nothing_runs(
    session: Session, write: WriteFile
) -> None:
    """With --collect-only there is no item to fail."""
    write("scenarios/bad.toml", text_of("nonsense = 1"))

    result = session("--collect-only")

    result.assert_outcomes(errors=1)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*scenarios/bad.toml*nonsense*"])
    assert "Traceback" not in result.stdout.str()


def test_paths_are_shown_as_one_would_type_them(
    session: Session, write: WriteFile, monkeypatch: pytest.MonkeyPatch, pytester: pytest.Pytester
) -> None:
    """From inside the folder the path is short."""
    write("scenarios/area/bad.toml", text_of("nonsense = 1"))
    monkeypatch.chdir(pytester.path / "scenarios")

    session().stdout.fnmatch_lines(["area/bad.toml*nonsense*"])
