"""A folder of scenario files: good ones are read back as written, bad ones say what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import SpecError
from harness.spec import encode_pipeline, load_scenario, parse_scenario

CASES = Path(__file__).parent / "cases"
VALID = sorted((CASES / "valid").glob("*.toml"))
INVALID = sorted((CASES / "invalid").glob("*.toml"))
EXPECT = 'title = "Written by the encoder"\n[[expect]]\nkind = "invariant"\nname = "counts_agree"\n'


def test_there_are_cases() -> None:
    """The folders are found, and every invalid file has its message and the other way round."""
    assert len(VALID) >= 10
    assert len(INVALID) >= 40
    assert {path.stem for path in INVALID} == {
        path.stem for path in (CASES / "invalid").glob("*.txt")
    }


@pytest.mark.parametrize("file", INVALID, ids=lambda path: path.stem)
def test_invalid_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole message is as written beside the file."""
    monkeypatch.chdir(file.parent)

    with pytest.raises(SpecError) as caught:
        load_scenario(Path(file.name))

    assert str(caught.value) == file.with_suffix(".txt").read_text("utf-8").rstrip("\n")


@pytest.mark.parametrize("file", VALID, ids=lambda path: path.stem)
def test_valid_file(file: Path) -> None:
    """The file is a scenario, called by its name and folder."""
    scenario = load_scenario(file)

    assert scenario.id == file.stem
    assert scenario.area == "valid"
    assert scenario.base is scenario.spec.pipeline
    assert scenario.pipeline_for({}) == scenario.base


@pytest.mark.parametrize("defaults", [False, True])
@pytest.mark.parametrize("file", VALID, ids=lambda path: path.stem)
def test_valid_file_survives_encoding(file: Path, *, defaults: bool) -> None:
    """The pipeline of a file, written and read again, is the same pipeline."""
    pipeline = load_scenario(file).base

    again = parse_scenario(EXPECT + encode_pipeline(pipeline, defaults=defaults), path="again")

    # repr and not ==, which finds a NaN different from itself.
    assert repr(again.base) == repr(pipeline)
