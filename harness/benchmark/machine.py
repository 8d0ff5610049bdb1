"""What the machine does at best: a matrix product and a copy, measured once and kept."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from harness.pipeline.backend import backend_name, environment, import_keras
from harness.pipeline.device import device, synchronise

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Peaks", "cache_folder", "machine_peaks", "measure_peaks"]

_FORMAT: Final = 1
_SMALLEST, _LARGEST = 256, 8192
_LONG_ENOUGH_SECONDS = 0.05
# On a processor small enough for the allocator to hand the same pages out again: measured with
# fresh pages, a copy is nine times slower.
_COPY_BYTES: Final = {"cpu": 24 << 20, "gpu": 1 << 29}
_REPEATS = 5
_AT_LEAST_SECONDS = 0.4
_FOLDER = "pytest-training-harness"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peaks:
    """The two roofs of a machine, as its own framework reaches them.

    Attributes:
        dtype: Dtype of the product.
        flops_per_second: Best of several products of two square matrices; an addition and a
            multiplication count as two.
        bytes_per_second: Best of several copies, what is read and what is written counted.
    """

    dtype: str
    flops_per_second: float
    bytes_per_second: float


def machine_peaks(dtype: str, *, reached: float = 0.0) -> Peaks:
    """The peaks of this machine; measured where nobody has yet with what is installed.

    They are kept in a file for the processor, its threads, the device and the backend. A file that
    can't be read or written only costs measuring again.

    Args:
        dtype: Dtype of the matrix product.
        reached: Operations a second that were reached by something else. A peak below them was
            measured while others used the machine, and is measured once more.
    """
    path = cache_folder() / f"peaks-{_key(dtype)}.json"
    kept = _read(path)
    if kept is not None and kept.flops_per_second >= reached:
        return kept
    peaks = measure_peaks(dtype)
    if kept is not None:
        peaks = Peaks(
            dtype=dtype,
            flops_per_second=max(kept.flops_per_second, peaks.flops_per_second),
            bytes_per_second=max(kept.bytes_per_second, peaks.bytes_per_second),
        )
    with suppress(OSError):
        _write(path, json.dumps({"format": _FORMAT, **asdict(peaks)}))
    return peaks


def _read(path: Path) -> Peaks | None:
    with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept.pop("format") == _FORMAT:
            return Peaks(**kept)
    return None


def cache_folder() -> Path:
    """Where peaks are kept: ``HARNESS_CACHE_DIR``, else the user's own folder for caches."""
    named = os.environ.get("HARNESS_CACHE_DIR")
    if named:
        return Path(named)
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / _FOLDER


def measure_peaks(dtype: str) -> Peaks:
    """Measure both roofs now; takes about a second on a processor.

    The matrices grow until a product takes a twentieth of a second, so that calls and caches no
    longer count. What is best is what the machine can do; everything slower is somebody else.
    """
    ops = import_keras().ops
    size = _SMALLEST
    seconds = _product_seconds(ops, size, dtype)
    while seconds < _LONG_ENOUGH_SECONDS and size < _LARGEST:
        size *= 2
        seconds = _product_seconds(ops, size, dtype)
    count = _COPY_BYTES[device().kind] // 4
    source = ops.ones((count,), dtype="float32")
    copy = _best(lambda: ops.add(source, 1.0), _AT_LEAST_SECONDS)
    seconds = min(seconds, _product_seconds(ops, size, dtype, _AT_LEAST_SECONDS))
    return Peaks(
        dtype=dtype,
        flops_per_second=2.0 * size**3 / seconds,
        bytes_per_second=2.0 * 4 * count / copy,
    )


def _product_seconds(ops: Any, size: int, dtype: str, least_seconds: float = 0.0) -> float:
    matrix = ops.full((size, size), 1.0 / size, dtype=dtype)
    return _best(lambda: ops.matmul(matrix, matrix), least_seconds)


def _best(call: Callable[[], Any], least_seconds: float = 0.0) -> float:
    """The shortest of several calls; the first one loads kernels and does not count."""
    synchronise(call())
    durations: list[float] = []
    while len(durations) < _REPEATS or sum(durations) < least_seconds:
        start = time.perf_counter()
        synchronise(call())
        durations.append(time.perf_counter() - start)
    return min(durations)


def _key(dtype: str) -> str:
    here, found = environment(), device()
    parts = [here.cpu, here.cores, found.name, backend_name(), here.backend_version, dtype]
    text = json.dumps([*parts, sorted(here.settings.items())])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _write(path: Path, text: str) -> None:
    """All of it or nothing: another process may be reading."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
