"""A journal keeps every whole record, and says what it could not read."""

import math
import os
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import TraceFormatError
from harness.trace.journal import JournalWriter, parse_journal, read_journal

VALUES = st.dictionaries(
    st.text(min_size=1).filter(lambda name: name not in {"self", "kind"}),
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    max_size=3,
)


@pytest.fixture
def descriptor() -> Iterator[int]:
    """An open file without a name."""
    with tempfile.TemporaryFile() as file:
        yield file.fileno()


def test_records_come_back_in_order(descriptor: int) -> None:
    """Numbers of NumPy, NaN and text beyond ASCII included."""
    writer = JournalWriter(descriptor)
    writer.write("step", loss=np.float32(0.5), row=np.arange(2), rate=math.inf)
    writer.write("step", loss=math.nan, name="Schritt é\n", path=object)

    journal = read_journal(descriptor)

    first, second = journal.entries
    assert first == {"kind": "step", "loss": 0.5, "row": [0, 1], "rate": math.inf}
    assert math.isnan(second["loss"])
    assert second["name"] == "Schritt é\n"
    assert second["path"] == "<class 'object'>"
    assert journal.damaged is None


def test_records_are_found_by_kind(descriptor: int) -> None:
    """All of some kinds, and the last of one."""
    writer = JournalWriter(descriptor)
    for index, kind in enumerate(("a", "b", "a", "c")):
        writer.write(kind, index=index)

    journal = read_journal(descriptor)

    assert [entry["index"] for entry in journal.of("a", "c")] == [0, 2, 3]
    assert journal.last("a") == {"kind": "a", "index": 2}
    assert journal.last("d") is None


@given(st.lists(VALUES, min_size=1, max_size=4), st.data())
def test_a_journal_cut_anywhere_keeps_what_was_whole(
    rows: list[dict[str, Any]], data: st.DataObject
) -> None:
    """Whatever byte was the last, each record that was written whole is there."""
    with tempfile.TemporaryFile() as file:
        writer = JournalWriter(file.fileno())
        ends = [0]
        for row in rows:
            writer.write("row", **row)
            ends.append(os.fstat(file.fileno()).st_size)
        cut = data.draw(st.integers(0, ends[-1]))
        os.truncate(file.fileno(), cut)

        journal = read_journal(file.fileno())

    whole = sum(1 for end in ends[1:] if end <= cut)
    assert journal.entries == tuple({"kind": "row", **row} for row in rows[:whole])
    assert (journal.damaged is None) is (cut in ends)


def test_a_damaged_last_line_is_told() -> None:
    """A line that is whole and no record is told like one that is cut short."""
    assert parse_journal(b'{"kind":"a"}\n{"kin\n').damaged == '{"kin'
    assert parse_journal(b'{"kind":"a"}\n[1]\n').damaged == "[1]"
    assert parse_journal(b"").entries == ()


def test_a_damaged_line_in_the_middle_is_an_error() -> None:
    """Records are appended whole, so somebody else has written there."""
    with pytest.raises(TraceFormatError) as raised:
        parse_journal(b'{"kind":"a"}\n{"a":1}\n{"kind":"b"}\n')

    assert str(raised.value) == (
        "line 2 of a journal must be a JSON object with a kind, "
        "got '{\"a\":1}'. Run it again: something else wrote into the file."
    )


def test_a_forked_process_writes_nothing(descriptor: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a worker of the run does is not what the run does."""
    writer = JournalWriter(descriptor)
    monkeypatch.setattr("os.getpid", lambda: -1)

    writer.write("step", loss=1.0)

    assert read_journal(descriptor).entries == ()
