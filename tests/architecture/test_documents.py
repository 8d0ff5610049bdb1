"""What the documents tell a newcomer to type exists."""

import configparser
import re
from pathlib import Path

import pytest

from harness.cli.main import main

SET_UP_COMMANDS = ("pip install tox && tox -e scenarios", "pip install tox && tox -e tests")


def _environments(repository: Path) -> frozenset[str]:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(repository / "tox.ini", "utf-8")
    prefix = "testenv:"
    return frozenset(name.removeprefix(prefix) for name in parser if name.startswith(prefix))


def test_readme_has_the_two_set_up_commands(repository: Path) -> None:
    """Each stands on a line of its own, ready to be copied."""
    lines = (repository / "README.md").read_text("utf-8").splitlines()

    assert [line for line in lines if line.startswith("pip install tox")] == list(SET_UP_COMMANDS)


@pytest.mark.parametrize(
    "document", ["README.md", "CONTRIBUTING.md", ".ci/run", ".pre-commit-config.yaml"]
)
def test_named_tox_environments_exist(document: str, repository: Path) -> None:
    """Every environment that a document calls is one of tox.ini."""
    text = (repository / document).read_text("utf-8")
    calls = re.findall(r"tox (?:run )?(?:-q )?-e ([a-z][a-z,]*)", text)
    loops = re.findall(r"for environment in ([a-z ]+);", text)
    named = {name for call in calls for name in call.split(",")}
    named |= {name for loop in loops for name in loop.split()}

    assert named
    assert sorted(named - _environments(repository)) == []


def test_version_is_in_the_changelog(repository: Path, package: Path) -> None:
    """The version that the package states has a heading in the changelog."""
    source = (package / "__init__.py").read_text("utf-8")
    version = re.search(r'^__version__ = "(.+)"$', source, re.MULTILINE)

    assert version
    assert re.search(
        rf"^## \[{re.escape(version[1])}\]",
        (repository / "CHANGELOG.md").read_text("utf-8"),
        re.MULTILINE,
    )


@pytest.mark.parametrize("what", ["issues", "claims"])
def test_tables_of_the_documents_are_those_of_the_scenarios(
    what: str,
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Written by hand they would be out of date with the next scenario."""
    document = {"issues": "findings.md", "claims": "claims.md"}[what]
    monkeypatch.chdir(repository)

    assert main(["list", f"--{what}", "scenarios"]) == 0

    table = capsys.readouterr().out
    assert table in (repository / "docs" / document).read_text("utf-8"), (
        f"docs/{document} must hold what `harness list --{what} scenarios` prints. Put it there."
    )
