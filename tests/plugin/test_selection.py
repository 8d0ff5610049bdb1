"""Which files are scenarios, and which are left to others."""

import pytest

from tests.plugin.conftest import BROKEN, PASSES, WriteFile

pytestmark = pytest.mark.usefixtures("training")


def collected(pytester: pytest.Pytester, *arguments: str) -> list[str]:
    """Return the node ids that a session collects."""
    result = pytester.runpytest_inprocess("--collect-only", "-q", *arguments)
    return [line for line in result.outlines if "::" in line]


@pytest.mark.parametrize(
    "name", ["scenarios/one.toml", "scenarios/area/deep/one.toml", "sub/scenarios/one.toml"]
)
def test_folders_named_scenarios_are_searched(
    name: str, pytester: pytest.Pytester, write: WriteFile
) -> None:
    """Files at any depth below such a folder are scenarios."""
    write(name)

    assert collected(pytester) == [f"{name}::property"]


@pytest.mark.parametrize(
    "name",
    [
        "one.toml",
        "scenario/one.toml",
        "scenarios.toml",
        "scenarios/one.txt",
        "scenarios/pyproject.toml",
        "scenarios/ruff.toml",
        "scenarios/.hidden.toml",
    ],
)
def test_other_files_are_left_alone(name: str, pytester: pytest.Pytester, write: WriteFile) -> None:
    """TOML elsewhere, files of other tools and hidden files are none, even if they look alike."""
    write(name)

    assert collected(pytester) == []


@pytest.mark.parametrize("entry", ["trainings", "train*", "trainings/*/deep", "trainings/a"])
def test_harness_paths_names_further_folders(
    entry: str, pytester: pytest.Pytester, write: WriteFile
) -> None:
    """The ini option takes folders and patterns of folders, from the root of the session."""
    write("trainings/a/deep/one.toml")
    write("elsewhere/one.toml")
    pytester.makeini(f"[pytest]\nharness_paths =\n    {entry}\n    nowhere")

    assert collected(pytester) == ["trainings/a/deep/one.toml::property"]


def test_harness_paths_names_files(pytester: pytest.Pytester, write: WriteFile) -> None:
    """A pattern may end in files; the others of that folder stay what they are."""
    write("trainings/small_one.toml")
    write("trainings/one.toml")
    pytester.makeini("[pytest]\nharness_paths = trainings/small_*.toml")

    assert collected(pytester) == ["trainings/small_one.toml::property"]


def test_a_file_on_the_command_line_is_a_scenario(
    pytester: pytest.Pytester, write: WriteFile
) -> None:
    """Whoever names a file means it, wherever it is."""
    write("elsewhere/one.toml")

    assert collected(pytester, "elsewhere/one.toml") == ["elsewhere/one.toml::property"]


def test_a_node_id_on_the_command_line_selects_one_item(
    pytester: pytest.Pytester, write: WriteFile
) -> None:
    """A node id can be copied from a report."""
    write("scenarios/one.toml")

    result = pytester.runpytest_inprocess("scenarios/one.toml::property")

    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("place", ["scenarios", "scenarios/area"])
def test_a_session_may_start_inside_the_folder(
    place: str, pytester: pytest.Pytester, write: WriteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The root of the session is then inside the folder; its files are scenarios all the same."""
    write("scenarios/area/one.toml")
    monkeypatch.chdir(pytester.path / place)

    found = collected(pytester, "--rootdir=.")

    assert [name.rpartition("/")[2] for name in found] == ["one.toml::property"]


def test_a_checkout_inside_a_folder_named_scenarios_is_left_alone(
    pytester: pytest.Pytester, write: WriteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above the root the name says little: only what looks like a scenario is one."""
    write("scenarios/checkout/settings.toml", "[settings]\ncolour = 'red'\n")
    write("scenarios/checkout/one.toml")
    monkeypatch.chdir(pytester.path / "scenarios" / "checkout")

    assert collected(pytester, "--rootdir=.") == ["one.toml::property"]


def test_names_of_items_tell_the_known_issues(pytester: pytest.Pytester, write: WriteFile) -> None:
    """One item for the scenario, one for each known issue, each named by the issue."""
    issue = """
        [[known_issue]]
        id = "{}"
        versions = "keras>=3"
        reason = "It is known."
        expectation = "small"
        """
    write("scenarios/one.toml", PASSES + "".join(map(issue.format, ("first", "second"))))

    assert collected(pytester) == [
        "scenarios/one.toml::property",
        "scenarios/one.toml::known_issue[first]",
        "scenarios/one.toml::known_issue[second]",
    ]


def test_a_broken_file_is_an_error_of_collect_only(
    pytester: pytest.Pytester, write: WriteFile
) -> None:
    """Where nothing is run, what is wrong is said at once, without a traceback."""
    write("scenarios/broken.toml", BROKEN)

    result = pytester.runpytest_inprocess("--collect-only", "-q")

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(
        ["scenarios/broken.toml:1: title must be at least 8 characters long, got 'x'."]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*.py:*")
