"""Tables for people at a terminal and for everybody else."""

import io
import sys

import pytest

from harness.cli.sparkline import BLOCKS
from harness.cli.tables import can_show, print_table


def test_plain_columns_are_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """However long; they can be searched and cut."""
    print_table(("a", "b"), [("x" * 200, "1"), ("y", "[2]")])

    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [["a", "b"], ["x" * 200, "1"], ["y", "[2]"]]


def test_a_terminal_gets_a_table(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Brackets in names of tests are text there, too."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("NO_COLOR", "1")

    print_table(("name", "value"), [("test_it[1]", "2")])

    assert "test_it[1]" in capsys.readouterr().out


@pytest.mark.parametrize(("encoding", "shown"), [("utf-8", True), ("ascii", False)])
def test_what_standard_output_can_write(
    monkeypatch: pytest.MonkeyPatch, encoding: str, *, shown: bool
) -> None:
    """Blocks are for terminals that know them."""
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))

    assert can_show(BLOCKS) is shown
