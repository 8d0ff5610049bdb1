"""Files that are not even TOML."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.errors import SpecError
from harness.spec import load_scenario
from harness.spec.reading import LARGEST_FILE_BYTES, read_text


def _message(path: Path) -> str:
    with pytest.raises(SpecError) as caught:
        load_scenario(path)
    return str(caught.value).replace(str(path), "<path>")


def test_missing_file(tmp_path: Path) -> None:
    """A file that is not there is said to be missing."""
    assert _message(tmp_path / "none.toml") == (
        "<path>: file must exist, got no such file. Check the path."
    )


def test_folder(tmp_path: Path) -> None:
    """A folder is no file."""
    assert _message(tmp_path) == "<path>: file must be a file, got a folder."


def test_special_file(tmp_path: Path) -> None:
    """A pipe would block for ever."""
    path = tmp_path / "pipe.toml"
    os.mkfifo(path)

    assert _message(path) == "<path>: file must be a file, got a special file."


def test_large_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size is looked at before the content; one byte less would have been read."""
    path = tmp_path / "large.toml"
    path.write_bytes(b"#" * LARGEST_FILE_BYTES)
    assert len(read_text(path)) == LARGEST_FILE_BYTES
    with path.open("ab") as file:
        file.write(b"#" * 9 * LARGEST_FILE_BYTES)
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("the file was read"))

    assert _message(path) == (
        "<path>: file must be at most 1048576 bytes long, got 10485760 bytes. "
        "A scenario is a page of text; keep data out of it."
    )


def test_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the operating system says is passed on."""
    path = tmp_path / "secret.toml"
    path.write_text("")

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)

    assert _message(path) == "<path>: file must be readable, got Permission denied."


def test_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    """Editors on Windows put one in front of UTF-8."""
    path = tmp_path / "marked.toml"
    path.write_bytes(b"\xef\xbb\xbftitle = 3\n")

    assert read_text(path) == "title = 3\n"


def test_position_of_a_wrong_byte(tmp_path: Path) -> None:
    """Offset and line of the first byte that is not UTF-8."""
    path = tmp_path / "latin.toml"
    path.write_bytes('# naïve\ntitle = "naïve"\n'.encode("latin-1").replace(b"\xef", b"i", 1))

    assert _message(path) == (
        "<path>:2: file must be UTF-8 text, got byte 0xef at offset 19. "
        "Save the file with UTF-8 encoding."
    )
