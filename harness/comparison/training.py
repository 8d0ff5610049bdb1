"""Runs in an environment whose results are compared: trains a scenario from several seeds."""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.comparison.watching import end_with_parent
from harness.errors import HarnessError
from harness.pipeline.backend import installed_versions
from harness.runner.judging import run_training
from harness.spec.loader import load_scenario
from harness.trace import write_trace
from harness.trace.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.trace import Trace

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    """Answer one request; returns the exit status."""
    question, answer = map(Path, arguments)
    request = json.loads(question.read_text(encoding="utf-8"))
    reply: dict[str, Any]
    try:
        scenario = load_scenario(Path(request["scenario"]))
        reply = {"versions": installed_versions(), "runs": []}
        for number, seed in enumerate(request["seeds"]):
            recording = Recording() if number else Recording.of("samples")
            trace = run_training(scenario.pipeline_for({"seed": seed}), recording)
            if not number:
                write_trace(trace, Path(request["trace"]))
            reply["runs"].append({"seed": seed, **_summary(trace)})
    except HarnessError as error:
        reply = {"error": str(error)}
    part = answer.with_suffix(".part")
    part.write_text(json.dumps(reply), encoding="utf-8")
    part.replace(answer)
    return 0


def _summary(trace: Trace) -> dict[str, Any]:
    """The logs of every epoch by name, and why it ended."""
    names = dict.fromkeys(name for record in trace.epochs for name in record.logs)
    return {
        "curves": {name: list(trace.logs(name)) for name in names},
        "steps": len(trace.steps),
        "stop": trace.stop.reason.value,
    }


if __name__ == "__main__":
    end_with_parent()
    try:
        status = main(sys.argv[1:])
    except BaseException:  # noqa: BLE001 - the parent reads what is printed here
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads of a broken release must not keep the process alive.
    os._exit(status)
