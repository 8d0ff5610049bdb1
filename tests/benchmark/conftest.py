"""Small scenarios that can be measured in a moment."""

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.benchmark.machine import Peaks
from harness.spec.loaded import Scenario
from harness.spec.loader import parse_scenario

Tiny = Callable[..., Scenario]

PEAKS = Peaks(dtype="float32", flops_per_second=1e9, bytes_per_second=1e9)

DATA = (
    '[pipeline]\ndata = { kind = "linear_regression", examples = 10, batch_size = 4 }\n'
    'model = { kind = "mlp", units = [3, 1] }\n'
)


@pytest.fixture
def tiny() -> Tiny:
    """Makes scenarios with this benchmark table and these further tables of the pipeline."""

    def make(benchmark: str = "warmup_steps = 1\nsteps = 3", pipeline: str = "") -> Scenario:
        text = f'title = "A tiny network"\n{DATA}{pipeline}\n[benchmark]\n{benchmark}\n'
        return parse_scenario(text, path="scenarios/speed/tiny.toml")

    return make


@pytest.fixture(autouse=True)
def known_peaks(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Peaks are not measured here, but where a test is about that, and never kept for others."""
    monkeypatch.setenv("HARNESS_CACHE_DIR", str(tmp_path / "cache"))
    if "real_peaks" not in request.fixturenames:
        monkeypatch.setattr("harness.benchmark.machine.measure_peaks", lambda _dtype: PEAKS)


@pytest.fixture
def real_peaks() -> None:
    """The test is about measuring peaks."""
