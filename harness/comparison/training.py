"""Runs in an environment whose results are compared: trains a scenario from several seeds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.comparison.answering import answer_and_end
from harness.errors import HarnessError
from harness.pipeline.backend import installed_versions
from harness.runner.judging import run_training
from harness.spec.loader import load_scenario
from harness.trace import write_trace
from harness.trace.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.trace import Trace

__all__ = ["train"]


def train(request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to one request: a summary of each run and versions, or what went wrong."""
    runs = []
    try:
        scenario = load_scenario(Path(request["scenario"]))
        versions = installed_versions()
        for number, seed in enumerate(request["seeds"]):
            recording = Recording() if number else Recording.of("samples")
            trace = run_training(scenario.pipeline_for({"seed": seed}), recording)
            if not number:
                write_trace(trace, Path(request["trace"]))
            runs.append({"seed": seed, **_summary(trace)})
    except HarnessError as error:
        return {"error": str(error)}
    return {"versions": versions, "runs": runs}


def _summary(trace: Trace) -> dict[str, Any]:
    """The logs of every epoch by name, and why it ended."""
    names = dict.fromkeys(name for record in trace.epochs for name in record.logs)
    return {
        "curves": {name: list(trace.logs(name)) for name in names},
        "steps": len(trace.steps),
        "stop": trace.stop.reason.value,
    }


if __name__ == "__main__":
    answer_and_end(train)
