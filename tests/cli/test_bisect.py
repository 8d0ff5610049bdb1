"""`harness bisect`: releases from wheels, revisions from a small repository, a command as judge."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from harness.cli import main
from tests.comparison.repositories import commits
from tests.comparison.wheels import only_from, wheel

WHOLE = 'python -c "import keras, sys; sys.exit(keras.__version__ in {bad})"'


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Releases 90.0 to 90.4 of something called Keras, of which 90.2 does not install."""
    folder = tmp_path / "index"
    for minor in range(5):
        wheel(folder, "keras", f"90.{minor}", *(["made-up-tree"] if minor == 2 else []))
    only_from(folder, monkeypatch)
    monkeypatch.setenv("HARNESS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.mark.usefixtures("index")
def test_the_first_bad_release(capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each that was judged, then the answer and the failure."""
    command = WHOLE.format(bad=["90.3", "90.4"]).replace("sys.exit", "print('no'); sys.exit")

    ends = ["--good", "90.1", "--bad", "90.4"]
    status = main(["bisect", "--package", "keras", *ends, "--run", command])

    assert status == 2
    out = capsys.readouterr().out
    assert re.sub(r"/\S*/overlay-keras-90.3-\w+", "OVERLAY", out) == (
        f"{command} over 4 keras releases\n\n"
        "  90.4  bad   the command ended with status 1\n"
        "  90.1  good\n"
        "  90.2  skip  python must install made-up-tree, got status 1:\n"
        "  90.3  bad   the command ended with status 1\n\n"
        "The first bad keras release is one of these; all but the last could not be judged:\n"
        "  90.2\n  90.3\n90.1 is still good.\n\n"
        "What fails on 90.3:\n\n  no\n\n"
        "To run it on that one, put this before the command:\n\n    PYTHONPATH=OVERLAY\n"
    )


@pytest.mark.usefixtures("index")
def test_the_first_good_release_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """The good end may be the newer one; progress goes to standard error."""
    command = WHOLE.format(bad=["90.0"])
    ends = ["--good", "90.4", "--bad", "90.0", "--releases", "90.1,90.3"]

    assert main(["bisect", "--package", "keras", *ends, "--run", command, "--json"]) == 0

    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert found["change"] == "first good"
    assert found["possible"] == ["90.1"]
    assert found["before"] == "90.0"
    assert found["exact"] is True
    assert [judged["name"] for judged in found["judged"]] == ["90.0", "90.4", "90.1"]
    assert captured.err.splitlines()[0] == "  90.0  bad   the command ended with status 1"


def test_the_first_bad_revision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is written out and run; the working tree is not touched."""
    repository = tmp_path / "repository"
    monkeypatch.setenv("HARNESS_CACHE_DIR", str(tmp_path / "cache"))
    names = commits(repository, *(f"X = {number}\n" for number in range(6)))
    (repository / "model.py").write_text("X = 100\n")
    monkeypatch.chdir(repository)
    command = "python -c 'import model; assert model.X < 4'"

    assert main(["bisect", "--good", names[0][:7], "--bad", "HEAD", "--run", command]) == 0

    out = capsys.readouterr().out
    assert f"The first bad revision is {names[4][:7]} 2025-01-02 Say X = 4; {names[3][:7]}" in out
    assert "AssertionError" in out
    assert (repository / "model.py").read_text() == "X = 100\n"


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--package", "keras"], "bisect must have a scenario or --run, got both or neither."),
        (["s.toml", "--run", "true"], "bisect must have a scenario or --run, got both or neither."),
        (["--run", "true"], "a git revision must be one of a repository"),
        (["--package", "keras", "--run", "true"], "--bad must be bad, got 90.1, which is good."),
        (["s.toml", "--package", "keras"], "s.toml:1: title must be at least 8 characters long"),
    ],
)
def test_what_is_refused(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With status 2, and with what to do."""
    Path("s.toml").write_text('title = "short"')

    assert main(["bisect", *arguments, "--good", "90.0", "--bad", "90.1"]) == 2
    assert said in capsys.readouterr().err
