"""The JSON of pytest-benchmark, as it writes it and as it reads it."""

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from harness.errors import HarnessUsageError, HistoryError
from harness.history.benchmark_json import from_benchmarks, read_benchmarks, to_benchmarks
from harness.history.measurement import Samples
from tests.history.rows import row

DOCUMENT: dict[str, Any] = {
    "machine_info": {
        "node": "host",
        "machine": "x86_64",
        "system": "Linux",
        "python_version": "3.11.7",
        "cpu": {"brand_raw": "a processor", "count": 4},
    },
    "commit_info": {
        "id": "a" * 40,
        "time": "2026-01-02T03:04:05+01:00",
        "dirty": False,
        "branch": "main",
    },
    "benchmarks": [
        {
            "fullname": "tests/test_it.py::test_it",
            "extra_info": {},
            "stats": {
                "min": 1.0,
                "max": 4.0,
                "mean": 2.5,
                "stddev": 1.25,
                "rounds": 4,
                "median": 2.25,
                "q1": 1.5,
                "q3": 3.5,
            },
        }
    ],
    "datetime": "2026-01-03T00:00:00",
    "version": "5.1.0",
}


def changed(**values: Any) -> dict[str, Any]:
    """The document with other values."""
    return DOCUMENT | values


def test_a_benchmark_is_its_median() -> None:
    """In seconds, with the commit and a coarse environment; a bare time is universal."""
    (measured,) = from_benchmarks(DOCUMENT).measurements

    assert (measured.series.scenario, measured.series.metric, measured.series.unit) == (
        "tests/test_it.py::test_it",
        "seconds",
        "s",
    )
    assert (measured.value, measured.series.better) == (2.25, "lower")
    assert measured.samples == Samples(
        count=4, minimum=1.0, q1=1.5, median=2.25, q3=3.5, maximum=4.0, mean=2.5, stddev=1.25
    )
    assert measured.time.isoformat() == "2026-01-03T00:00:00+00:00"
    assert (measured.revision.id, measured.revision.branch) == ("a" * 40, "main")
    assert dict(measured.environment.values) == {
        "cores": "4",
        "cpu": "a processor",
        "machine": "x86_64",
        "python": "3.11",
        "system": "Linux",
    }


def test_figures_of_a_scenario_come_along() -> None:
    """What the harness leaves in `extra_info`, with unit and direction; settings do not."""
    extra = {
        "examples_per_second": 640.0,
        "peak_rss_bytes": 2_000_000,
        "compile_seconds": 1.5,
        "peak_share": 0.25,
        "steps_per_round": 100,
        "scenario": "throughput/mlp",
        "keras": "3.15.1",
    }
    benchmark = DOCUMENT["benchmarks"][0] | {"extra_info": extra}

    found = from_benchmarks(changed(benchmarks=[benchmark])).measurements

    assert {
        one.series.metric: (one.value, one.series.unit, one.series.better) for one in found
    } == {
        "examples_per_second": (640.0, "examples/s", "higher"),
        "peak_rss_bytes": (2_000_000.0, "bytes", "lower"),
        "compile_seconds": (1.5, "s", "lower"),
        "peak_share": (0.25, "", "higher"),
        "seconds": (2.25, "s", "lower"),
    }
    assert {one.environment.values["keras"] for one in found} == {"3.15.1"}


def test_words_for_no_commit_are_none() -> None:
    """Outside of a repository, and on no branch."""
    info = {"id": "unversioned", "time": None, "branch": "(detached head)", "dirty": False}
    (measured,) = from_benchmarks(changed(commit_info=info)).measurements

    assert (measured.revision.id, measured.revision.branch) == ("", "")


def test_a_damaged_benchmark_costs_itself_only() -> None:
    """The others are taken in."""
    good = DOCUMENT["benchmarks"][0]
    found = from_benchmarks(changed(benchmarks=[{"fullname": "bad", "stats": {}}, good, None]))

    assert len(found.measurements) == 1
    assert found.left_out == (
        "benchmark bad must be whole, got: KeyError 'median'",
        "benchmark 2 must be whole, got: AttributeError 'NoneType' object has no attribute 'get'",
    )


def test_what_goes_out_comes_in() -> None:
    """Figures in other units too, and those of scenarios without any time."""
    measured = [
        row(0.5, samples=Samples.of([0.4, 0.5, 0.6])),
        row(0.9, metric="accuracy", unit="", better="higher"),
        row(math.nan, metric="final_loss", unit=""),
        row(12.0, scenario="area/two", metric="steps", unit="steps", better="neutral"),
    ]

    back = from_benchmarks(json.loads(json.dumps(to_benchmarks(measured), allow_nan=False)))

    assert back.left_out == ()
    assert [one.key for one in back.measurements] == [one.key for one in measured]


def test_nothing_cannot_be_written() -> None:
    """An empty file would look like a benchmark that was run."""
    with pytest.raises(HarnessUsageError, match="must have something to write"):
        to_benchmarks([])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "must be JSON, got Expecting"),
        ("{}", "must be what --benchmark-json writes, got other JSON."),
        (
            json.dumps(changed(benchmarks=[{}])),
            "must hold benchmarks, got none that is whole. benchmark 0 must be whole",
        ),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, said: str) -> None:
    """With what was expected."""
    file = tmp_path / "b.json"
    file.write_text(text)

    with pytest.raises(HistoryError, match=re.escape(f"{file} {said}")):
        read_benchmarks(file)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    """In a sentence."""
    with pytest.raises(HistoryError, match="must be a file that can be read, got No such file"):
        read_benchmarks(tmp_path / "none.json")


def test_pytest_benchmark_writes_what_is_read(pytester: pytest.Pytester) -> None:
    """A real file of the installed release."""
    pytester.makepyfile("def test_it(benchmark): benchmark(lambda: None)")
    pytester.runpytest_subprocess("--benchmark-json=b.json", "--benchmark-max-time=0.01")

    found = read_benchmarks(pytester.path / "b.json")

    (measured,) = found.measurements
    assert found.left_out == ()
    assert measured.series.scenario == "test_it.py::test_it" or measured.series.scenario.endswith(
        "::test_it"
    )
    assert measured.samples is not None
    assert measured.samples.median == measured.value > 0


def test_pytest_benchmark_reads_what_is_written(pytester: pytest.Pytester) -> None:
    """Its own tool compares two exported files."""
    for number in range(2):
        text = json.dumps(to_benchmarks([row(0.5 + number, number), row(3.0, metric="x", unit="")]))
        (pytester.path / f"{number}.json").write_text(text)

    result = pytester.run("py.test-benchmark", "compare", "0.json", "1.json")

    assert result.ret == 0
    result.stdout.fnmatch_lines(["*one::step_seconds*500.0*", "*one::step_seconds*1,500.0*"])
