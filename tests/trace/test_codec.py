"""One trace to one file and back, bit for bit."""

import io
import json
import os
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import HarnessUsageError, TraceFormatError
from harness.trace import (
    ExampleTable,
    Trace,
    codec,
    dump_trace,
    load_trace,
    read_trace,
    write_trace,
)
from tests.trace.drawn import traces

Maker = Callable[..., Trace]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one folder for all examples of a property."""
    return tmp_path_factory.mktemp("codec")


@pytest.fixture(scope="module")
def data(folder: Path, trace: Trace) -> bytes:
    """Return a whole trace file."""
    write_trace(trace, folder / "data.npz")
    return (folder / "data.npz").read_bytes()


@pytest.fixture
def damaged(tmp_path: Path) -> Callable[[bytes], str]:
    """Return a function that tells what reading some bytes is refused with."""

    def message(content: bytes) -> str:
        path = tmp_path / "some.npz"
        path.write_bytes(content)
        with pytest.raises(TraceFormatError) as caught:
            read_trace(path)
        return str(caught.value).replace(str(path), "some.npz")

    return message


def with_header(data: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """Return the file with its header changed, in place or for another."""
    buffer = io.BytesIO()
    with np.load(io.BytesIO(data)) as archive:
        arrays = dict(archive)
    header = json.loads(arrays.pop("header").tobytes())
    text = json.dumps(change(header) or header).encode("ascii")
    np.savez(buffer, header=np.frombuffer(text, np.uint8), **arrays)
    return buffer.getvalue()


@given(trace=traces())
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_round_trip_is_bit_for_bit(folder: Path, trace: Trace) -> None:
    """What is read equals what was written, and equal traces make equal files."""
    first, second = folder / "first.npz", folder / "second.npz"
    write_trace(trace, first)
    again = read_trace(first)
    assert again == trace
    write_trace(again, second)
    assert first.read_bytes() == second.read_bytes()


def test_whole_trace_survives(tmp_path: Path, trace: Trace) -> None:
    """Every part of a full trace comes back, read-only and in its dtype."""
    write_trace(trace, tmp_path / "trace.npz")
    again = read_trace(str(tmp_path / "trace.npz"))
    assert again == trace
    assert again.predictions is not None
    assert again.predictions.dtype == np.float32
    assert not again.steps.epoch.flags.writeable


def test_an_open_file_without_a_name_will_do(trace: Trace) -> None:
    """It is read from its beginning, and called as the caller says where it is damaged."""
    with tempfile.TemporaryFile() as file:
        dump_trace(trace, file)
        assert load_trace(file, "the trace of a run") == trace
        file.truncate(10)
        with pytest.raises(TraceFormatError, match="the trace of a run: the file"):
            load_trace(file, "the trace of a run")


def test_numpy_reads_the_arrays(folder: Path, data: bytes, trace: Trace) -> None:
    """The file is a plain .npz archive for everybody else, without pickled objects."""
    (folder / "plain.npz").write_bytes(data)
    with np.load(folder / "plain.npz", allow_pickle=False) as archive:
        assert archive["trace.steps.loss"].tolist() == trace.steps.column("loss").tolist()


def test_compressed_archive_is_read(tmp_path: Path, data: bytes, trace: Trace) -> None:
    """Who packs the members again, compressed, still has a trace."""
    with np.load(io.BytesIO(data)) as archive:
        np.savez_compressed(tmp_path / "small.npz", **archive)
    assert read_trace(tmp_path / "small.npz") == trace


def test_trace_file_replaces_an_older_one(tmp_path: Path, make_trace: Maker) -> None:
    """Writing over a file leaves the new one, and nothing beside it."""
    path = tmp_path / "trace.npz"
    write_trace(make_trace(drawn_batches=1), path)
    write_trace(make_trace(drawn_batches=2), path)
    assert read_trace(path).drawn_batches == 2
    assert os.listdir(tmp_path) == ["trace.npz"]  # noqa: PTH208


def test_failed_write_leaves_the_old_file(
    tmp_path: Path, make_trace: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk costs the new trace, not the old one, and leaves no half of it."""
    path = tmp_path / "trace.npz"
    write_trace(make_trace(drawn_batches=1), path)
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_trace(make_trace(drawn_batches=2), path)
    assert read_trace(path).drawn_batches == 1
    assert os.listdir(tmp_path) == ["trace.npz"]  # noqa: PTH208


def test_missing_folder_is_an_os_error(tmp_path: Path, trace: Trace) -> None:
    """The system's own message names the path."""
    with pytest.raises(FileNotFoundError):
        write_trace(trace, tmp_path / "none" / "trace.npz")
    with pytest.raises(FileNotFoundError):
        read_trace(tmp_path / "trace.npz")


def test_objects_are_not_written(tmp_path: Path, make_trace: Maker) -> None:
    """Examples of Python objects would need pickling, so they are refused."""
    words = np.array(["a", None], dtype=object)
    trace = make_trace(examples=ExampleTable(inputs=words, targets=np.arange(2)))
    rule = "trace.examples.inputs must hold plain numbers or text to be written, got object"
    with pytest.raises(HarnessUsageError, match=rule):
        write_trace(trace, tmp_path / "trace.npz")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"not a trace", b"\x93NUMPY" + bytes(50)])
def test_foreign_file(damaged: Callable[[bytes], str], content: bytes) -> None:
    """A file of something else is refused with its path and what to do."""
    assert damaged(content) == (
        "some.npz: the file must be a whole trace file, got: File is not a zip file. "
        "Record the trace again, or restore the file."
    )


def test_foreign_archive(damaged: Callable[[bytes], str]) -> None:
    """An archive of other arrays has no header."""
    buffer = io.BytesIO()
    np.savez(buffer, x=np.zeros(2))
    assert "got: an archive without a trace header." in damaged(buffer.getvalue())


def test_pickled_objects_are_refused(damaged: Callable[[bytes], str]) -> None:
    """Nothing in a file is executed."""
    buffer = io.BytesIO()
    np.savez(buffer, header=np.array([{}], dtype=object))
    assert "Object arrays cannot be loaded" in damaged(buffer.getvalue())


def test_unusual_compression_is_refused(damaged: Callable[[bytes], str], data: bytes) -> None:
    """Only what NumPy itself writes is read."""
    buffer = io.BytesIO()
    source = zipfile.ZipFile(io.BytesIO(data))
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_BZIP2) as archive:
        for name in source.namelist():
            archive.writestr(name, source.read(name))
    assert "in compression 12" in damaged(buffer.getvalue())


@pytest.mark.parametrize(
    "header", [{"format": "other"}, {"format": "harness-trace", "format_version": "1"}, [1]]
)
def test_foreign_header(damaged: Callable[[bytes], str], data: bytes, header: object) -> None:
    """A header of something else is no trace."""
    message = damaged(with_header(data, lambda _: header))
    assert "the file must be a whole trace file, got: " in message


def test_newer_version_is_refused(damaged: Callable[[bytes], str], data: bytes) -> None:
    """A file of the future is not guessed at."""
    content = with_header(data, lambda header: header | {"format_version": 99})
    assert damaged(content) == (
        "some.npz: format_version must be at most 1, got 99. "
        "Read it with the newer harness that wrote it, or upgrade this one."
    )


def test_older_version_without_an_upgrade(damaged: Callable[[bytes], str], data: bytes) -> None:
    """A version that nobody upgrades any more is refused."""
    content = with_header(data, lambda header: header | {"format_version": 0})
    assert "must hold a consistent trace, got KeyError(0)." in damaged(content)


def test_older_version_is_upgraded(
    tmp_path: Path, trace: Trace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each upgrade leads to the next version, until the present one is reached."""
    path = tmp_path / "trace.npz"
    write_trace(trace, path)

    def renamed(document: codec.Document, arrays: codec.Arrays) -> Any:
        return document | {"trace": document["trace"] | {"pipeline": "upgraded"}}, arrays

    def unchanged(document: codec.Document, arrays: codec.Arrays) -> Any:
        return document, arrays

    monkeypatch.setattr(codec, "FORMAT_VERSION", 3)
    monkeypatch.setattr(codec, "UPGRADES", {1: renamed, 2: unchanged})
    assert read_trace(path) == replace(trace, pipeline="upgraded")


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header["trace"].pop("steps"),
        lambda header: header["trace"].update(colour="red"),
        lambda header: header["trace"].update(epochs=None),
        lambda header: header["trace"].update(stop={"reason": "bored", "evidence": ""}),
        lambda header: header["trace"]["steps"].update(loss="nowhere"),
        lambda header: header.update(trace="text"),
    ],
)
def test_inconsistent_header(
    damaged: Callable[[bytes], str], data: bytes, change: Callable[[dict[str, Any]], object]
) -> None:
    """A header that does not make a trace is refused like damage."""

    def changed(header: dict[str, Any]) -> None:
        change(header)

    assert "some.npz: the file must hold a consistent trace" in damaged(with_header(data, changed))


@given(st.data())
def test_truncated_file_is_refused(folder: Path, data: bytes, draw: st.DataObject) -> None:
    """Wherever a file is cut off, reading it fails with our error."""
    path = folder / "cut.npz"
    path.write_bytes(data[: draw.draw(st.integers(0, len(data) - 1))])
    with pytest.raises(TraceFormatError, match=r"cut\.npz: the file must be a whole trace file"):
        read_trace(path)


@given(st.data())
@settings(max_examples=300)
def test_damage_is_never_read_as_another_trace(
    folder: Path, data: bytes, trace: Trace, draw: st.DataObject
) -> None:
    """A changed byte is found, or lies where it changes nothing, as in the date of a member."""
    place = draw.draw(st.integers(0, len(data) - 1))
    value = draw.draw(st.integers(0, 255))
    path = folder / "flipped.npz"
    path.write_bytes(data[:place] + bytes([value]) + data[place + 1 :])
    try:
        again = read_trace(path)
    except TraceFormatError:
        return
    assert again == trace
