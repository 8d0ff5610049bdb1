"""One trace to one file and back, bit for bit.

The file is a NumPy ``.npz`` archive without pickled objects: one member an array, each in its own
dtype, and a member ``header``, JSON in ASCII, for everything else. The header carries a format
version. A file of an older version passes through `UPGRADES`, one step a version; a file of a
newer one is refused.
"""

import io
import json
import os
import secrets
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from harness.errors import HarnessError, HarnessUsageError, TraceFormatError
from harness.trace._record import Record, items_of
from harness.trace.environment import Environment
from harness.trace.epochs import EpochRecord
from harness.trace.events import Event
from harness.trace.examples import ExampleTable
from harness.trace.resources import ResourceRecord
from harness.trace.state import GradientTable, StateTable, VariableInfo
from harness.trace.steps import StepTable
from harness.trace.stop import Stop
from harness.trace.trace import Trace

FORMAT_VERSION: Final = 1
"""Version of the files that `write_trace` writes."""

Arrays: TypeAlias = dict[str, NDArray[Any]]
Document: TypeAlias = dict[str, Any]
Upgrade: TypeAlias = Callable[[Document, Arrays], tuple[Document, Arrays]]

UPGRADES: Final[Mapping[int, Upgrade]] = {}
"""For each older version the function that makes a file of the next version out of it."""

_FORMAT: Final = "harness-trace"
_REMEDY: Final = "Record the trace again, or restore the file."
_DAMAGE: Final = (
    ArithmeticError,
    AttributeError,
    EOFError,
    HarnessError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What decoding a file of random bytes was seen to raise, or is documented to."""


def write_trace(trace: Trace, path: str | os.PathLike[str]) -> None:
    """Write a trace to `path`, whole or not at all.

    It goes to a temporary file in the same folder, which then takes the place of `path`; when
    writing fails, what was at `path` stays as it is. Equal traces make equal files.

    Raises:
        HarnessUsageError: An array of examples holds Python objects.
        OSError: The folder does not exist or cannot be written to.
    """
    arrays = _members(trace)
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            _write_arrays(file, arrays)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def dump_trace(trace: Trace, file: IO[bytes]) -> None:
    """Write a trace into an open file, such as one that has no name.

    Raises:
        HarnessUsageError: An array of examples holds Python objects.
        OSError: The file cannot be written to.
    """
    _write_arrays(file, _members(trace))
    file.flush()


def read_trace(path: str | os.PathLike[str]) -> Trace:
    """Return the trace that `write_trace` wrote to `path`, equal to it bit for bit.

    Raises:
        OSError: There is no such file, or it cannot be opened.
        TraceFormatError: The file is not a trace, is truncated or damaged, or was written by a
            newer harness.
    """
    with Path(path).open("rb") as file:
        return load_trace(file, os.fspath(path))


def load_trace(file: IO[bytes], name: str) -> Trace:
    """Return the trace that is in an open file.

    Args:
        file: Can be read and sought in.
        name: What messages call it.

    Raises:
        TraceFormatError: It is not a trace, is truncated or damaged, or of a newer harness.
    """
    try:
        header, arrays = _read_arrays(file)
    except _DAMAGE as error:
        message = f"{name}: the file must be a whole trace file, got: {error}. {_REMEDY}"
        raise TraceFormatError(message) from error
    version = header["format_version"]
    if version > FORMAT_VERSION:
        message = (
            f"{name}: format_version must be at most {FORMAT_VERSION}, got {version}. "
            "Read it with the newer harness that wrote it, or upgrade this one."
        )
        raise TraceFormatError(message)
    try:
        while version < FORMAT_VERSION:
            header, arrays = UPGRADES[version](header, arrays)
            version += 1
        return _trace(header["trace"], arrays)
    except _DAMAGE as error:
        message = f"{name}: the file must hold a consistent trace, got {error!r}. {_REMEDY}"
        raise TraceFormatError(message) from error


def _members(trace: Trace) -> Arrays:
    """All arrays of a trace by the names of their members, and the header as one more."""
    arrays: Arrays = {}
    document = _packed(trace, "trace", arrays)
    header = {"format": _FORMAT, "format_version": FORMAT_VERSION, "trace": document}
    text = json.dumps(header, ensure_ascii=True, separators=(",", ":"))
    arrays["header"] = np.frombuffer(text.encode("ascii"), dtype=np.uint8)
    return arrays


def _write_arrays(file: IO[bytes], arrays: Arrays) -> None:
    """Write what `numpy.load` reads; entries carry a fixed date, so that equal means equal."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, values in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, values, allow_pickle=False)


def _read_arrays(file: IO[bytes]) -> tuple[Document, Arrays]:
    """Read all members whole, so that the checksum of each is verified."""
    arrays: Arrays = {}
    with zipfile.ZipFile(file) as archive:
        for entry in archive.infolist():
            if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                message = f"{entry.filename} in compression {entry.compress_type}"
                raise ValueError(message)
            values = np.lib.format.read_array(io.BytesIO(archive.read(entry)), allow_pickle=False)
            values.flags.writeable = False
            arrays[entry.filename.removesuffix(".npy")] = values
    if "header" not in arrays:
        message = "an archive without a trace header"
        raise ValueError(message)
    header = json.loads(arrays.pop("header").tobytes().decode("ascii"))
    if header.get("format") != _FORMAT or not isinstance(header.get("format_version"), int):
        message = "an archive with the header of something else"
        raise ValueError(message)
    return header, arrays


def _packed(value: object, key: str, arrays: Arrays) -> object:
    """Return what JSON can hold of `value`: names in place of the arrays, which are set aside."""
    match value:
        case np.ndarray():
            if value.dtype.kind in "OV":
                message = f"{key} must hold plain numbers or text to be written, got {value.dtype}."
                raise HarnessUsageError(message)
            arrays[key] = value
            return key
        case Record():
            parts = dict(items_of(value))
            if isinstance(value, StepTable):
                parts["sample_ids"] = _ragged(value.sample_ids)
            return {name: _packed(part, f"{key}.{name}", arrays) for name, part in parts.items()}
        case Mapping():
            return {name: _packed(part, f"{key}.{name}", arrays) for name, part in value.items()}
        case tuple():
            return [_packed(part, f"{key}.{index}", arrays) for index, part in enumerate(value)]
    return value


def _ragged(rows: tuple[tuple[int, ...], ...] | None) -> Arrays | None:
    if rows is None:
        return None
    return {
        "lengths": np.array([len(row) for row in rows], dtype=np.int64),
        "values": np.array([index for row in rows for index in row], dtype=np.int64),
    }


def _rows(document: dict[str, str] | None, arrays: Arrays) -> tuple[tuple[int, ...], ...] | None:
    if document is None:
        return None
    values = arrays[document["values"]].tolist()
    stops = np.cumsum(arrays[document["lengths"]]).tolist()
    starts = (0, *stops[:-1])
    return tuple(tuple(values[start:stop]) for start, stop in zip(starts, stops, strict=False))


def _trace(document: Document, arrays: Arrays) -> Trace:
    steps = document["steps"]
    samples = _rows(steps.pop("sample_ids"), arrays)
    state, gradients = document["state"], document["gradients"]
    examples = document["examples"]
    return Trace(
        **document
        | {
            "steps": StepTable(**_filled(steps, arrays), sample_ids=samples),
            "epochs": tuple(EpochRecord(**record) for record in document["epochs"]),
            "resources": ResourceRecord(**document["resources"]),
            "stop": Stop(**document["stop"]),
            "environment": Environment(**document["environment"]),
            "state": None if state is None else StateTable(**_table(state, arrays)),
            "gradients": None if gradients is None else GradientTable(**_table(gradients, arrays)),
            "events": tuple(Event(**event) for event in document["events"]),
            "examples": None if examples is None else ExampleTable(**_filled(examples, arrays)),
            "predictions": _array(document["predictions"], arrays),
        }
    )


def _table(document: Document, arrays: Arrays) -> Document:
    variables = tuple(VariableInfo(**variable) for variable in document.pop("variables"))
    return {"variables": variables, **_filled(document, arrays)}


def _filled(names: Mapping[str, str | None], arrays: Arrays) -> dict[str, Any]:
    return {field: _array(name, arrays) for field, name in names.items()}


def _array(name: str | None, arrays: Arrays) -> NDArray[Any] | None:
    return None if name is None else arrays[name]
