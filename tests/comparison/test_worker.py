"""The real worker trains in fresh forks, a round at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.comparison.arms import Arm
from harness.comparison.commands import EnvironmentBroken
from harness.comparison.environments import parse_environment
from harness.comparison.preparing import prepare

if TYPE_CHECKING:
    from pathlib import Path

    from harness.comparison.cache import Cache

SCENARIO = """
title = "A dense network trains at a known speed"

[pipeline]
data = { kind = "linear_regression", examples = 16, batch_size = 8 }
model = { kind = "mlp", units = [4, 1] }

[benchmark]
steps = 4
warmup_steps = 2
"""
REFUSED = """
title = "A network that does not fit"

[pipeline]
data = { kind = "linear_regression" }
model = { kind = "import", import = "nowhere:model" }

[benchmark]
steps = 4
"""


def test_fresh_forks_are_measured(tmp_path: Path, cache: Cache) -> None:
    """Each compiles anew, and the worker itself never computes."""
    file = tmp_path / "s.toml"
    file.write_text(SCENARIO)
    with Arm("A", prepare(parse_environment("threads:1"), cache), file) as arm:
        arm.ready()
        found = []
        for _ in range(2):
            arm.begin(4)
            assert arm.round() > 0.0
            assert arm.round() > 0.0
            found.append(arm.end())

    assert arm.versions.keys() == {"python", "numpy", "keras", "tensorflow"}
    for figures in found:
        assert figures.keys() == {"compile_seconds", "peak_rss_bytes"}
        assert figures["compile_seconds"] > 0.0
    # A process that had trained before would need more.
    assert found[1]["peak_rss_bytes"] == pytest.approx(found[0]["peak_rss_bytes"], rel=0.1)


def test_a_scenario_that_cannot_be_trained(tmp_path: Path, cache: Cache) -> None:
    """The fork says why."""
    file = tmp_path / "s.toml"
    file.write_text(REFUSED)
    with Arm("A", prepare(parse_environment("."), cache), file) as arm:
        arm.ready()
        with pytest.raises(EnvironmentBroken, match=r"A must train the scenario, got: .*nowhere"):
            arm.begin(4)
