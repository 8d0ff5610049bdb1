"""A benchmark as one JSON document, and as lines for a person."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import harness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.benchmark.machine import Peaks
    from harness.benchmark.measurement import Benchmark, Measurement

__all__ = ["FORMAT", "document", "lines", "markdown", "one_line"]

FORMAT: Final = 1
"""Version of the document; it grows when a key changes its meaning or goes."""

_PREFIXES: Final = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def document(benchmark: Benchmark) -> dict[str, Any]:
    """Everything that was measured, samples included, as plain tables.

    Keys carry their units. `format` says which version of this layout it is.
    """
    ratio = benchmark.speed_up
    return {
        "format": FORMAT,
        "harness": harness.__version__,
        "scenario": benchmark.id,
        "title": benchmark.title,
        "environment": {
            **_fields(benchmark.environment),
            "digest": benchmark.environment.digest(),
        },
        "device": asdict(benchmark.device),
        "peaks": asdict(benchmark.peaks),
        "measured": _side(benchmark.measured, benchmark.peaks),
        "against": None
        if benchmark.against is None
        else {**_side(benchmark.against, None), "changes": dict(benchmark.changes)},
        "speed_up": None if ratio is None else _finite(asdict(ratio)),
        "finite": benchmark.finite,
    }


def _fields(environment: Any) -> dict[str, Any]:
    names = ("python", "platform", "cpu", "cores", "keras", "backend", "backend_version", "numpy")
    values: dict[str, Any] = {name: getattr(environment, name) for name in names}
    return {**values, "settings": dict(environment.settings)}


def _side(side: Measurement, peaks: Peaks | None) -> dict[str, Any]:
    """One side; shares are of the peaks that were measured in its own dtype only."""
    figures = {
        "step_seconds": side.step_seconds,
        "p95_step_seconds": side.p95_step_seconds,
        "examples_per_second": side.examples_per_second,
        "flops_per_second": side.flops_per_second,
        "peak_share": None if peaks is None else side.peak_share(peaks),
        "roofline_share": None if peaks is None else side.roofline_share(peaks),
    }
    return _finite({**asdict(side), "step_samples": list(side.step_samples), **figures})


def _finite(table: dict[str, Any]) -> dict[str, Any]:
    """JSON has no infinity and no NaN: what has no bound is null."""
    return {
        key: None if isinstance(value, float) and value - value != 0.0 else value
        for key, value in table.items()
    }


def one_line(benchmark: Benchmark) -> str:
    """The figures that a person looks for first."""
    side = benchmark.measured
    parts = [
        f"{side.examples_per_second:,.0f} examples/s",
        f"step {_milliseconds(side.step_seconds)}",
        f"compile {side.compile_seconds:.2f} s",
    ]
    share = side.peak_share(benchmark.peaks)
    if side.flops_per_second is not None and share is not None:
        parts.append(f"{_amount(side.flops_per_second)}FLOP/s, {share:.1%} of the peak")
    if benchmark.speed_up is not None:
        parts.append(_ratio(benchmark))
    return "; ".join(parts)


def lines(benchmark: Benchmark) -> Iterator[str]:
    """A table for a person, ending with what was computed on."""
    here, peaks = benchmark.environment, benchmark.peaks
    yield f"{benchmark.id}: {benchmark.title}"
    sides = {"": benchmark.measured}
    if benchmark.against is not None:
        changes = ", ".join(f"{key} = {value!r}" for key, value in benchmark.changes.items())
        sides = {"as in the file": benchmark.measured, f"against {changes}": benchmark.against}
    for name, side in sides.items():
        if name:
            yield f"  {name}"
        yield from (f"    {label:<18} {text}" for label, text in _rows(side))
    side = benchmark.measured
    share, roof = side.peak_share(peaks), side.roofline_share(peaks)
    if share is not None and roof is not None:
        yield f"  share of the measured peak, {share:.2%}; of the roofline, {roof:.2%}"
    if benchmark.speed_up is not None:
        yield f"  {_ratio(benchmark)}"
    if not benchmark.finite:
        yield "  The loss is not finite: numbers that are none are computed at another speed."
    device = benchmark.device.name or here.cpu
    yield (
        f"  on {device}, {here.cores} cores; keras {here.keras}, {here.backend} "
        f"{here.backend_version}; peaks in {peaks.dtype}: {_amount(peaks.flops_per_second)}FLOP/s, "
        f"{_amount(peaks.bytes_per_second)}B/s"
    )


def markdown(benchmark: Benchmark, *, header: bool) -> Iterator[str]:
    """A row of a table for a document; the first one with the head of the table before it."""
    if header:
        yield "| scenario | examples/s | step | 95 % | compile | of the peak | speed-up |"
        yield "|---|---|---|---|---|---|---|"
    side, ratio = benchmark.measured, benchmark.speed_up
    share = side.peak_share(benchmark.peaks)
    late = side.p95_step_seconds
    cells = [
        f"`{benchmark.id}`",
        f"{side.examples_per_second:,.0f}",
        _milliseconds(side.step_seconds),
        "" if late is None else _milliseconds(late),
        f"{side.compile_seconds:.2f} s",
        "" if share is None else f"{share:.1%} ({benchmark.peaks.dtype})",
        "" if ratio is None else f"{ratio.ratio:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]",
    ]
    yield f"| {' | '.join(cells)} |"


def _rows(side: Measurement) -> Iterator[tuple[str, str]]:
    yield "examples a second", f"{side.examples_per_second:,.0f}"
    median = _milliseconds(side.step_seconds)
    yield "step", f"{median} (median of {len(side.round_seconds)} rounds of {side.steps})"
    if side.p95_step_seconds is not None:
        yield "", f"{_milliseconds(side.p95_step_seconds)} (95 % of single, synchronised steps)"
    yield "build, compile", f"{side.build_seconds:.2f} s, {side.compile_seconds:.2f} s"
    grown = side.peak_rss_bytes - side.start_rss_bytes
    yield "host memory", f"{_mebibytes(side.peak_rss_bytes)} at most, {_mebibytes(grown)} its own"
    if side.peak_device_bytes is not None:
        yield "device memory", f"{_mebibytes(side.peak_device_bytes)} at most"
    if side.flops_per_second is not None:
        yield "matrix products", f"{_amount(side.flops_per_second)}FLOP/s"


def _ratio(benchmark: Benchmark) -> str:
    found = benchmark.speed_up
    if found is None:
        return ""
    words = f"{found.ratio:.3f} times the examples a second of the other side"
    if found.low == 0.0:
        return f"{words} (too few rounds for an interval: {found.pairs})"
    return f"{words} [{found.low:.3f}, {found.high:.3f}]"


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms"


def _mebibytes(count: int) -> str:
    return f"{count / 2**20:,.0f} MiB"


def _amount(value: float) -> str:
    """Three digits with a prefix, ready to be followed by the unit."""
    for size, prefix in _PREFIXES:
        if value >= size:
            return f"{value / size:.3g} {prefix}"
    return f"{value:.3g} "
