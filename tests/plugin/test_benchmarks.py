"""Benchmark scenarios as items of pytest-benchmark: its options, its files, and other workers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

TINY = """
title = "A tiny network"
[pipeline]
data = { kind = "linear_regression", examples = 8, batch_size = 4 }
model = { kind = "mlp", units = [1] }
[benchmark]
warmup_steps = 1
steps = 2
rounds = 3
against = { "data.batch_size" = 2 }
"""
GPU = TINY.replace("[benchmark]", '[benchmark]\ndevice = "gpu"')
STOPS = TINY.replace(
    "[benchmark]", '[[pipeline.callbacks]]\nkind = "silent_stopper"\nbatch = 0\n[benchmark]'
)


@pytest.fixture(autouse=True)
def folder(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one scenario that is measured; peaks are known, and kept nowhere else."""
    monkeypatch.setenv("HARNESS_CACHE_DIR", str(pytester.path / "cache"))
    pytester.makeconftest(
        """
        import pytest
        from harness.benchmark import machine

        PEAKS = machine.Peaks(dtype="float32", flops_per_second=1e12, bytes_per_second=1e9)
        machine.measure_peaks = lambda dtype: PEAKS

        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_makereport(item):
            from harness.plugin.figures import FIGURES
            report = yield
            if report.when == "call" and FIGURES in item.stash:
                print(*(figure.metric for figure in item.stash[FIGURES]))
            return report
        """
    )
    path: Path = pytester.mkdir("scenarios")
    (path / "tiny.toml").write_text(TINY, encoding="utf-8")
    return path


def test_the_file_of_pytest_benchmark_has_seconds_per_step(pytester: pytest.Pytester) -> None:
    """As its own benchmarks have: group, name, rounds; and our figures beside them."""
    result = pytester.runpytest_subprocess("-s", "--benchmark-json=out.json")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["*step_seconds examples_per_second *", "*benchmark 'scenarios': 1 tests*"]
    )
    result.stdout.fnmatch_lines(["measured:", "*tiny.toml::benchmark?tiny?", "*examples/s; step*"])
    (entry,) = json.loads((pytester.path / "out.json").read_text("utf-8"))["benchmarks"]
    extra = entry["extra_info"]
    assert (entry["name"], entry["group"]) == ("benchmark[tiny]", "scenarios")
    assert entry["stats"]["rounds"] == 3
    assert entry["stats"]["median"] == pytest.approx(extra["step_seconds"])
    assert extra["against"] == {"data.batch_size": 2}
    assert extra["examples_per_second"] == pytest.approx(4 / extra["step_seconds"])
    assert {"keras", "tensorflow", "device", "environment", "compile_seconds"} <= set(extra)


def test_options_of_pytest_benchmark_choose(pytester: pytest.Pytester) -> None:
    """Only them, none of them, or each once and not measured."""
    pytester.makepyfile("def test_other(): pass")

    only = pytester.runpytest_subprocess("--benchmark-only")
    skipped = pytester.runpytest_subprocess("--benchmark-skip")
    disabled = pytester.runpytest_subprocess("--benchmark-disable")
    without = pytester.runpytest_subprocess("-p", "no:benchmark")

    only.assert_outcomes(passed=1, skipped=1)
    skipped.assert_outcomes(passed=1, skipped=1)
    disabled.assert_outcomes(passed=2)
    assert "measured:" not in disabled.stdout.str()
    without.assert_outcomes(passed=1, skipped=1)
    without.stdout.fnmatch_lines(["*not measured: pytest-benchmark is switched off*"])


def test_what_cannot_be_measured(pytester: pytest.Pytester, folder: Path) -> None:
    """No GPU is a skip, a pipeline that stops early a failure without traceback."""
    (folder / "tiny.toml").write_text(GPU, encoding="utf-8")
    (folder / "stops.toml").write_text(STOPS, encoding="utf-8")
    (folder / "later.toml").write_text('requires = "keras>=99"\n' + TINY, encoding="utf-8")

    result = pytester.runpytest_subprocess("-rs")

    result.assert_outcomes(failed=1, skipped=2)
    result.stdout.fnmatch_lines(["a round must have * steps, got 1.*"])
    result.stdout.fnmatch_lines(["*not judged: no GPU*"])
    result.stdout.fnmatch_lines(["*it requires keras>=99, and keras * is installed*"])
    assert "Traceback" not in result.stdout.str()


def test_benchmarks_run_alone_among_workers(pytester: pytest.Pytester, folder: Path) -> None:
    """No other item of any worker runs while one is measured, and nothing is dropped."""
    pytest.importorskip("xdist")
    (folder / "other.toml").write_text(TINY, encoding="utf-8")
    pytester.makepyfile(
        """
        import pytest, time

        @pytest.mark.parametrize("number", range(40))
        def test_other(number):
            time.sleep(0.05)
        """
    )
    conftest = pytester.path / "conftest.py"
    conftest.write_text(
        conftest.read_text("utf-8")
        + """
import os, pathlib, time

@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    log = pathlib.Path(str(item.config.rootpath)) / f"log-{os.getpid()}"
    began = time.monotonic()
    try:
        return (yield)
    finally:
        with log.open("a") as stream:
            print(item.name, began, time.monotonic(), file=stream)
""",
        "utf-8",
    )

    result = pytester.runpytest_subprocess("-n", "2", "--benchmark-json=out.json")

    result.assert_outcomes(passed=42)
    result.stdout.fnmatch_lines(["*benchmark 'scenarios': 2 tests*", "*measured:*"])
    entries = json.loads((pytester.path / "out.json").read_text("utf-8"))["benchmarks"]
    assert sorted(entry["name"] for entry in entries) == ["benchmark[other]", "benchmark[tiny]"]
    assert [len(entry["stats"]["data"]) for entry in entries] == [3, 3]
    spans = [
        (name, float(began), float(ended))
        for log in pytester.path.glob("log-*")
        for name, began, ended in (line.split() for line in log.read_text("utf-8").splitlines())
    ]
    alone = [span for span in spans if span[0].startswith("benchmark")]
    assert len(spans) == 42
    assert len(alone) == 2
    for name, began, ended in alone:
        others = [span for span in spans if span[0] != name and span[1] < ended and span[2] > began]
        assert others == [], name
