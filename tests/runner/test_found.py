"""Draws that failed are kept, and tried first the next time."""

import json
import math
import os
from pathlib import Path

import pytest

from harness.runner.found import Found
from tests.runner.synthetic import BOUND, SEED, scenario_of

SCENARIO = scenario_of(SEED, BOUND)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the draws of the scenario are kept."""
    return tmp_path / "made_up" / "example.json"


def test_what_was_added_comes_back(tmp_path: Path, file: Path) -> None:
    """Draws come back in the order of their finding, each once."""
    found = Found(tmp_path)
    for seed in (7, 3, 7):
        found.add(SCENARIO, {"seed": seed})

    assert found.draws(SCENARIO) == ({"seed": 7}, {"seed": 3})
    assert json.loads(file.read_text()) == {
        "format_version": 1,
        "draws": [{"seed": 7}, {"seed": 3}],
    }


def test_special_numbers_come_back(tmp_path: Path) -> None:
    """NaN and infinities survive, and NaN is not added twice."""
    scenario = scenario_of('[vary]\n"optimizer.learning_rate" = { floats = [0.0, 1.0] }', BOUND)
    found = Found(tmp_path)
    for rate in (math.nan, math.nan, math.inf):
        found.add(scenario, {"optimizer.learning_rate": rate})

    rates = [draw["optimizer.learning_rate"] for draw in found.draws(scenario)]
    assert list(map(str, rates)) == ["nan", "inf"]


def test_the_oldest_go_first(tmp_path: Path) -> None:
    """No more than twenty are kept."""
    found = Found(tmp_path)
    for seed in range(25):
        found.add(SCENARIO, {"seed": seed})

    assert [draw["seed"] for draw in found.draws(SCENARIO)] == list(range(5, 25))


def test_draws_of_an_edited_scenario_are_left_out(tmp_path: Path) -> None:
    """A draw with other keys than the scenario has says nothing about it."""
    found = Found(tmp_path)
    found.add(SCENARIO, {"seed": 1})
    edited = scenario_of('[vary]\n"training.epochs" = { integers = [1, 2] }', BOUND)

    assert found.draws(edited) == ()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"3",
        b'"text"',
        b"\xff\xfe",
        b'[{"seed": 1}]',
        b'{"draws": [{"seed": 1}]}',
        b'{"format_version": 2, "draws": [{"seed": 1}]}',
        b'{"format_version": 1, "draws": 3}',
        b'{"format_version": 1, "draws": [3, null, ["seed"], {"seed": 1, "other": 2}]}',
        b"[" * 100_000,
    ],
)
def test_a_foreign_or_broken_file_is_as_good_as_none(
    tmp_path: Path, file: Path, content: bytes
) -> None:
    """Nothing is taken from it, and the next finding replaces it."""
    file.parent.mkdir()
    file.write_bytes(content)
    found = Found(tmp_path)

    assert found.draws(SCENARIO) == ()

    found.add(SCENARIO, {"seed": 5})
    assert found.draws(SCENARIO) == ({"seed": 5},)


def test_a_file_is_replaced_whole_or_not_at_all(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When writing fails, what was there stays, alone, and nothing is raised."""
    found = Found(tmp_path)
    found.add(SCENARIO, {"seed": 1})
    before = file.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        found.add(SCENARIO, {"seed": 2})

    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path: Path) -> None:
    """The failure itself is what a person must see; its text holds the draw."""
    (tmp_path / "taken").write_text("a file")
    found = Found(tmp_path / "taken")

    found.add(SCENARIO, {"seed": 1})

    assert found.draws(SCENARIO) == ()


def test_a_reader_writes_nothing(tmp_path: Path) -> None:
    """With `writes` off the folder is only read."""
    Found(tmp_path, writes=False).add(SCENARIO, {"seed": 1})

    assert os.listdir(tmp_path) == []  # noqa: PTH208 - the names are enough
