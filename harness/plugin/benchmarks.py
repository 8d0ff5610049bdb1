"""Benchmark scenarios as items that use pytest-benchmark's fixture, so that its options hold."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Final

import pytest

from harness.errors import HarnessError
from harness.plugin.exclusive import is_worker
from harness.plugin.figures import FIGURES, Better, Figure
from harness.plugin.gathered import MEASURED
from harness.plugin.options import HarnessOptions
from harness.plugin.summary import speed_property, verdict_properties

if TYPE_CHECKING:
    from pathlib import Path

    from harness.benchmark.measurement import Benchmark
    from harness.benchmark.measuring import Measuring
    from harness.spec.loaded import Scenario

__all__ = ["BenchmarkItem", "UnmeasuredItem", "benchmark_item"]

_QUICK_ROUNDS: Final = 6
"""The fewest pairs that give an interval at 95 %: 2 / 2**6 is less than 5 %, 2 / 2**5 is not."""

_THOROUGH_FACTOR: Final = 3


class NotMeasured(Exception):  # noqa: N818 - what a person reads is the text
    """Something keeps a scenario from being measured; the text says what."""


def benchmark_item(parent: pytest.Collector, scenario: Scenario) -> pytest.Item:
    """The item that measures a scenario, or says that nobody will."""
    kind = BenchmarkItem if _has_pytest_benchmark(parent.config) else UnmeasuredItem
    # Tables of pytest-benchmark show the name alone, without the file.
    item: pytest.Item = kind.from_parent(
        parent, name=f"benchmark[{scenario.id}]", scenario=scenario
    )
    return item


class UnmeasuredItem(pytest.Item):
    """A benchmark in a session without pytest-benchmark."""

    def __init__(self, *, scenario: Scenario, **kwargs: Any) -> None:
        """Take what pytest gives, and the scenario."""
        super().__init__(**kwargs)
        self.scenario = scenario

    def runtest(self) -> None:
        """Skip: who switches pytest-benchmark off wants no benchmarks."""
        _skip(self, "not measured: pytest-benchmark is switched off")

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the item is from, and its title."""
        return self.path, 0, f"{self.scenario.spec.title} ({self.name})"


class BenchmarkItem(pytest.Function):
    """Measures a scenario by pytest-benchmark's fixture.

    A round of pytest-benchmark is a round of the scenario, and of the other side in turns with it.
    Its timer is a clock that only goes on by what a step of the scenario took, so that table, JSON
    and comparisons are about seconds per step, synchronised with the device.
    """

    def __init__(self, *, scenario: Scenario, **kwargs: Any) -> None:
        """Take what pytest gives, and the scenario."""
        self.scenario = scenario
        self._measuring: Measuring | None = None

        def measure(benchmark: Any) -> None:
            with warnings.catch_warnings():
                # Keras warns of what `-W error` of other tests must not end.
                warnings.simplefilter("default")
                self._measure(benchmark)

        def step_clock() -> float:
            return 0.0 if self._measuring is None else self._measuring.now()

        super().__init__(callobj=measure, **kwargs)
        spec = scenario.spec.benchmark
        group = scenario.area if spec is None or spec.group is None else spec.group
        self.add_marker(pytest.mark.benchmark(group=group, timer=step_clock))

    def _measure(self, benchmark: Any) -> None:
        """Measure, and leave figures for pytest-benchmark, the summary and the history."""
        from harness.benchmark.measuring import Measuring, cannot_measure

        try:
            if (reason := cannot_measure(self.scenario)) is not None:
                _skip(self, reason)
            with Measuring(self.scenario) as self._measuring:
                found = self._rounds(benchmark, self._measuring)
        except HarnessError as error:
            self.user_properties += _properties(self.scenario, "not_judged", str(error))
            raise NotMeasured(str(error)) from error
        finally:
            self._measuring = None
        self.user_properties += _properties(self.scenario, "passed")
        if found is not None:
            self._keep(benchmark, found)

    def _rounds(self, benchmark: Any, measuring: Measuring) -> Benchmark | None:
        """Run the rounds; None where somebody asked that nothing be measured."""
        rounds = self._planned_rounds()
        benchmark.pedantic(measuring.round, rounds=rounds, iterations=1, warmup_rounds=0)
        if benchmark.enabled:
            return measuring.finish()
        if _switched_off(self.config) or not is_worker(self.config):
            return None
        # In a worker of xdist the fixture runs one round and keeps nothing. The machine is ours
        # alone while this item runs, so the rest is measured without it.
        for _ in range(rounds - 1):
            measuring.round()
        return measuring.finish()

    def _planned_rounds(self) -> int:
        spec = self.scenario.spec.benchmark
        rounds = 1 if spec is None else spec.rounds
        match HarnessOptions.of(self.config).profile:
            case "quick":
                return min(rounds, _QUICK_ROUNDS)
            case "thorough":
                return rounds * _THOROUGH_FACTOR
            case _:
                return rounds

    def _keep(self, benchmark: Any, found: Benchmark) -> None:
        from harness.benchmark.report import one_line

        self.stash[FIGURES] = _figures(found)
        self.user_properties.append(speed_property(one_line(found)))
        benchmark.extra_info.update(_extra_info(found))
        if not benchmark.enabled:
            self.stash[MEASURED] = {
                "name": benchmark.name,
                "fullname": benchmark.fullname,
                "group": benchmark.group,
                "extra_info": benchmark.extra_info,
                "samples": list(found.measured.step_samples),
            }

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Our text for what the user can act on, a traceback for what is our own fault."""
        del style
        if isinstance(excinfo.value, NotMeasured):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the item is from, and its title."""
        return self.path, 0, f"{self.scenario.spec.title} ({self.name})"


def _figures(found: Benchmark) -> tuple[Figure, ...]:
    """What the history remembers."""
    side, ratio = found.measured, found.speed_up
    figures = [
        Figure(
            metric="step_seconds",
            value=side.step_seconds,
            unit="s",
            better="lower",
            samples=side.step_samples,
        ),
        Figure(
            metric="examples_per_second",
            value=side.examples_per_second,
            unit="examples/s",
            better="higher",
        ),
        Figure(metric="build_seconds", value=side.build_seconds, unit="s", better="lower"),
        Figure(metric="compile_seconds", value=side.compile_seconds, unit="s", better="lower"),
        Figure(metric="peak_rss_bytes", value=side.peak_rss_bytes, unit="bytes", better="lower"),
    ]
    optional: tuple[tuple[str, float | None, str, Better], ...] = (
        ("p95_step_seconds", side.p95_step_seconds, "s", "lower"),
        ("peak_device_bytes", side.peak_device_bytes, "bytes", "lower"),
        ("flops_per_second", side.flops_per_second, "FLOP/s", "higher"),
        ("peak_share", side.peak_share(found.peaks), "", "higher"),
        ("roofline_share", side.roofline_share(found.peaks), "", "higher"),
        ("speed_up", None if ratio is None else ratio.ratio, "", "neutral"),
    )
    figures += [
        Figure(metric=metric, value=value, unit=unit, better=better)
        for metric, value, unit, better in optional
        if value is not None
    ]
    return tuple(figures)


def _extra_info(found: Benchmark) -> dict[str, Any]:
    """What pytest-benchmark keeps beside the seconds: the figures, and where they are from."""
    here, ratio = found.environment, found.speed_up
    info: dict[str, Any] = {figure.metric: figure.value for figure in _figures(found)}
    if ratio is not None:
        info["speed_up_interval"] = [ratio.low, ratio.high]
        info["against"] = dict(found.changes)
    return {
        **info,
        "scenario": found.id,
        "steps_per_round": found.measured.steps,
        "device": found.device.name or here.cpu,
        "keras": here.keras,
        here.backend: here.backend_version,
        "environment": here.digest(),
    }


def _properties(scenario: Scenario, outcome: str, reason: str | None = None) -> list[Any]:
    """What the summary is made of; claims are told once, with what is judged where there is any."""
    from harness.runner.verdict import Outcome, Verdict

    verdict = Verdict(scenario=scenario, outcome=Outcome(outcome), reason=reason, examples=1)
    judged = bool(scenario.spec.expect)
    return [
        (name, value)
        for name, value in verdict_properties(verdict)
        if not (judged and name.endswith("_claim"))
    ]


def _skip(item: pytest.Item, reason: str) -> None:
    scenario: Any = item
    item.user_properties += _properties(scenario.scenario, "skipped", reason)
    pytest.skip(reason)


def _has_pytest_benchmark(config: pytest.Config) -> bool:
    return hasattr(config.option, "benchmark_disable")


def _switched_off(config: pytest.Config) -> bool:
    option = config.option
    return bool(option.benchmark_disable) and not option.benchmark_enable
