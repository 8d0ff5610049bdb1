"""The machine's peaks: measured once, kept, and measured anew where the file is of no use."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.benchmark import machine
from harness.benchmark.machine import cache_folder, machine_peaks, measure_peaks
from tests.benchmark.conftest import PEAKS


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every dtype that was really measured."""
    calls: list[str] = []

    def measured(dtype: str) -> Any:
        calls.append(dtype)
        return PEAKS

    monkeypatch.setattr(machine, "measure_peaks", measured)
    return calls


def test_peaks_are_measured_once_per_dtype(calls: list[str]) -> None:
    """The second time they come out of the file."""
    assert machine_peaks("float32") == PEAKS
    assert machine_peaks("float32") == PEAKS
    machine_peaks("bfloat16")

    assert calls == ["float32", "bfloat16"]


def test_a_peak_that_was_beaten_is_measured_again(
    calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was measured while others used the machine; the better of both is kept."""
    machine_peaks("float32")
    assert machine_peaks("float32", reached=PEAKS.flops_per_second) == PEAKS
    assert calls == ["float32"]
    better = replace(PEAKS, flops_per_second=3e9, bytes_per_second=1.0)
    monkeypatch.setattr(machine, "measure_peaks", lambda _dtype: better)

    assert machine_peaks("float32", reached=2e9) == replace(PEAKS, flops_per_second=3e9)
    assert machine_peaks("float32") == replace(PEAKS, flops_per_second=3e9)


@pytest.mark.parametrize("text", ["", "[]", '{"format": 0}', '{"format": 1, "dtype": "x"}'])
def test_a_file_of_no_use_is_replaced(calls: list[str], text: str) -> None:
    """Cut off, of another version, or incomplete: it only costs measuring again."""
    machine_peaks("float32")
    (kept,) = cache_folder().iterdir()
    kept.write_text(text, encoding="utf-8")

    machine_peaks("float32")
    machine_peaks("float32")

    assert calls == ["float32", "float32"]


def test_a_folder_that_cannot_be_written_costs_measuring_only(
    calls: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The folder's place is taken by a file."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("HARNESS_CACHE_DIR", str(tmp_path / "file"))

    assert machine_peaks("float32") == PEAKS
    assert calls == ["float32"]


def test_the_users_folder_for_caches_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a folder of its own the harness follows the desktop's convention."""
    monkeypatch.delenv("HARNESS_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_folder() == Path("/somewhere/pytest-training-harness")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert cache_folder() == Path("/home/somebody/.cache/pytest-training-harness")


@pytest.mark.usefixtures("real_peaks")
def test_a_product_grows_until_it_is_long_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small matrices measure the call; the peak is that of the last, largest product."""
    sizes: list[int] = []

    def product_seconds(_ops: Any, size: int, _dtype: str, _least: float = 0.0) -> float:
        sizes.append(size)
        return 2.0 * size**3 / 1e10

    monkeypatch.setattr(machine, "_product_seconds", product_seconds)
    monkeypatch.setattr(machine, "_best", lambda *_: 0.01)

    peaks = measure_peaks("float32")

    assert sizes == [256, 512, 1024, 1024]
    assert peaks.flops_per_second == pytest.approx(1e10)
    assert peaks.bytes_per_second == pytest.approx(2 * 4 * (24 << 20) / 4 / 0.01)


@pytest.mark.usefixtures("real_peaks")
def test_peaks_are_positive_numbers() -> None:
    """The real thing runs on the backend that is there."""
    peaks = measure_peaks("float32")

    assert peaks.flops_per_second > 1e6
    assert peaks.bytes_per_second > 1e6
