"""JSON lines: what goes out comes in, files can be put together, damage is reported."""

import json
import math
from pathlib import Path

import pytest

from harness.errors import HistoryError
from harness.history.lines import append_lines, from_json, read_lines, to_json
from harness.history.measurement import Revision, Samples
from harness.history.opening import open_history
from tests.history.rows import row, rows


@pytest.mark.parametrize("value", [1.5, math.nan, math.inf, -math.inf])
def test_a_line_holds_everything(value: float) -> None:
    """Through real JSON, which has no NaN."""
    measured = row(value, samples=Samples.of([1.0, 2.0]), definition="abc", better="neutral")

    text = json.dumps(to_json(measured), allow_nan=False)

    back = from_json(json.loads(text))
    assert back.key == measured.key
    assert (back.samples, back.revision) == (measured.samples, measured.revision)


def test_a_commit_that_nobody_knows_comes_back() -> None:
    """There may be no git."""
    measured = row(revision=Revision())

    assert from_json(to_json(measured)) == measured


def test_shards_are_put_together(tmp_path: Path) -> None:
    """Files of several machines, one after the other in one file; twice is once."""
    one, two, both = (tmp_path / name for name in ("one.jsonl", "two.jsonl", "both.jsonl"))
    append_lines(one, rows([1.0, 2.0]))
    append_lines(two, rows([3.0]))
    append_lines(two, [row(4.0, 7)])
    both.write_bytes(one.read_bytes() + two.read_bytes() + one.read_bytes())

    found = read_lines(both)

    assert [measured.value for measured in found.measurements] == [1.0, 2.0, 3.0, 4.0, 1.0, 2.0]
    assert found.left_out == ()
    with open_history(str(tmp_path / "history.sqlite")) as history:
        assert history.add_all(found.measurements) == 4
        assert history.add_all(found.measurements) == 0


def test_a_half_written_line_costs_itself_only(tmp_path: Path) -> None:
    """The next writer begins a line of its own."""
    file = tmp_path / "rows.jsonl"
    append_lines(file, rows([1.0, 2.0]))
    file.write_bytes(file.read_bytes()[:-20])
    append_lines(file, [row(3.0, 3)])

    found = read_lines(file)

    assert [measured.value for measured in found.measurements] == [1.0, 3.0]
    (reason,) = found.left_out
    assert reason.startswith(f"{file}:2: line must be JSON, got ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1]", "line must be a JSON object, got list."),
        ("{}", "harness must be format 1 of a measurement, got None."),
        ('{"harness": 2}', "harness must be format 1 of a measurement, got 2."),
        ('{"harness": 1}', "measurement must be whole, got KeyError: 'revision'."),
        (
            json.dumps(to_json(row()) | {"better": "faster"}),
            "measurement must be whole, got HarnessUsageError: better must be one of",
        ),
        (
            json.dumps(to_json(row()) | {"time": "2026-01-01T00:00:00"}),
            "time of a measurement must have a zone",
        ),
        (
            json.dumps(to_json(row()) | {"scenario": ""}),
            "scenario of a measurement must be a name, got nothing.",
        ),
    ],
)
def test_other_lines_are_named(tmp_path: Path, text: str, said: str) -> None:
    """File, line and what is wrong; a file with nothing else is an error."""
    file = tmp_path / "rows.jsonl"
    file.write_text(text)

    with pytest.raises(HistoryError) as caught:
        read_lines(file)

    assert str(caught.value).startswith(f"{file} must hold measurements, one a line. {file}:1: ")
    assert said in str(caught.value)


def test_what_the_format_adds_later_is_left_alone() -> None:
    """A newer harness may write more."""
    assert from_json(to_json(row()) | {"more": 1}) == row()


def test_files_that_cannot_be_read_or_written_are_said(tmp_path: Path) -> None:
    """In a sentence."""
    with pytest.raises(HistoryError, match="must be a file that can be read, got No such file"):
        read_lines(tmp_path / "none.jsonl")
    with pytest.raises(HistoryError, match="must be a file that can be written, got Is a dir"):
        append_lines(tmp_path, [row()])


def test_lines_can_be_a_history(tmp_path: Path) -> None:
    """Read into memory; what is new is appended at once."""
    where = str(tmp_path / "shard.jsonl")
    with open_history(where) as history:
        assert history.add(row())
        assert history.add_all([row(), row(2.0, 1)]) == 1
        assert history.database.shown == where

    assert len(read_lines(Path(where)).measurements) == 2
    with open_history(where, create=False) as history:
        assert not history.add(row())
        assert len(history.points([history.series()[0].key.id])) == 1
    with pytest.raises(HistoryError, match="must exist"):
        open_history(str(tmp_path / "none.jsonl"), create=False)
