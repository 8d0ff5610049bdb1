"""From what was typed to an environment in which a process can be started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.comparison.children import check_versions
from harness.comparison.commands import EnvironmentBroken
from harness.comparison.environments import parse_environment
from harness.comparison.preparing import Prepared, prepare
from harness.errors import HarnessUsageError
from tests.comparison.repositories import commits
from tests.comparison.wheels import wheel

if TYPE_CHECKING:
    from harness.comparison.cache import Cache


def _prepare(text: str, cache: Cache, repository: Path | None = None) -> Prepared:
    return prepare(parse_environment(text), cache, repository)


def _run(prepared: Prepared, code: str) -> str:
    done = subprocess.run(
        [prepared.python, "-c", code],
        cwd=prepared.folder,
        env=prepared.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_as_it_is(cache: Cache) -> None:
    """The same interpreter, the same packages, and this harness."""
    prepared = _prepare(".", cache)

    said = _run(prepared, "import sys, harness; print(sys.prefix, harness.__version__)")
    assert said.split()[0] == sys.prefix
    assert prepared.folder == Path.cwd()


def test_a_release_of_keras_is_laid_over(cache: Cache, index: Path) -> None:
    """Before the one that is installed, and the harness before both."""
    wheel(index, "keras", "3.99.1")
    wheel(index, "keras", "3.99.2")
    prepared = _prepare("keras>=3.99,A=1", cache)

    said = _run(prepared, "import os, keras; print(keras.__version__, os.environ['A'])")
    assert said == "3.99.2 1"
    assert prepared.expected == {"keras": "3.99.2"}
    assert prepared.path[1].name.startswith("overlay-keras-3.99.2-")
    assert _prepare("keras==3.99.2,A=1", cache).identity == prepared.identity
    assert _prepare("keras==3.99.2,A=2", cache).identity != prepared.identity
    assert _prepare("keras==3.99.1,A=1", cache).identity != prepared.identity


def test_other_packages_get_a_virtual_environment(cache: Cache, index: Path) -> None:
    """Which is made once."""
    wheel(index, "made-up", "1.0")
    prepared = _prepare("made-up==1.0", cache)

    assert _run(prepared, "import made_up; print(made_up.__version__)") == "1.0"
    assert cache.folder in prepared.python.parents
    assert _prepare("made-up==1.0", cache) == prepared


def test_a_revision_is_seen_instead_of_the_working_tree(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its processes work in the checkout, in the folder where the command was typed."""
    repository = tmp_path / "repository"
    (repository / "sub").mkdir(parents=True)
    (repository / "sub" / "kept").write_text("")
    first, _ = commits(repository, "X = 1\n", "X = 2\n")
    monkeypatch.chdir(repository / "sub")

    prepared = _prepare(f"git:{first[:8]}", cache)

    assert _run(prepared, "import model; print(model.X)") == "1"
    assert prepared.folder == cache.folder / f"git-{first}" / "sub"
    monkeypatch.chdir(tmp_path)
    elsewhere = _prepare("git:HEAD", cache, repository)
    assert _run(elsewhere, "import model; print(model.X)") == "2"
    assert elsewhere.folder.name.startswith("git-")


def test_folders_wheels_and_interpreters(cache: Cache, tmp_path: Path) -> None:
    """A path is what lies there."""
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    (overlay / "made_up.py").write_text("X = 'folder'")
    built = wheel(tmp_path, "made-up", "7.0")

    assert _run(_prepare(str(overlay), cache), "import made_up; print(made_up.X)") == "folder"
    version = _run(_prepare(str(built), cache), "import made_up; print(made_up.__version__)")
    assert version == "7.0"
    assert _prepare(sys.executable, cache).python == Path(sys.executable)
    assert _prepare(sys.prefix, cache).python.parent == Path(sys.prefix) / "bin"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("./nowhere", "must name a path that exists, got ./nowhere."),
        ("./file", "must name a folder of packages, a wheel, a virtual environment or an inter"),
        (f"{sys.executable},{sys.executable}", "must name one interpreter at most, got two."),
    ],
)
def test_paths_that_are_none(
    text: str, said: str, cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says what may lie there."""
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")
    with pytest.raises(HarnessUsageError) as raised:
        _prepare(text, cache)
    assert said in str(raised.value)


def test_another_version_than_asked_for_is_noticed(
    cache: Cache, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What somebody put on the path must not be measured under another name."""
    wheel(index, "keras", "3.99.1")
    prepared = _prepare("keras==3.99.1", cache)

    check_versions(prepared, {"keras": "3.99.1", "numpy": "2.0"})
    with pytest.raises(EnvironmentBroken) as raised:
        check_versions(prepared, {"Keras": "3.15.1"})
    assert str(raised.value) == (
        "keras==3.99.1 must load keras 3.99.1, got 3.15.1. Something on PYTHONPATH, or a later "
        "part of the environment, comes before it."
    )
    monkeypatch.setenv("PYTHONPATH", "/theirs")
    path = prepared.environment()["PYTHONPATH"].split(os.pathsep)
    assert path[-1] == "/theirs"
    assert path[0].startswith(str(cache.folder / "harness-"))
