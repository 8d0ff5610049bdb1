"""Runs in an environment that is measured: one fresh process a pair, a round at a time on request.

Importing Keras takes seconds, so it is done once: this process imports it, computes nothing, and
forks for every pair. Only the fork builds, compiles and trains, and no two pairs share it. Where
forking is not safe, the process serves one pair and is started again.

A line of JSON in, a line of JSON out: ``begin``, ``round`` as often as wanted, ``end``.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from harness.errors import HarnessError
from harness.pipeline.backend import import_keras
from harness.spec.loader import load_scenario
from harness.spec.scenario import BenchmarkSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.spec.loaded import Scenario

__all__ = ["main"]

_FORKED_BACKENDS: Final = frozenset({"tensorflow"})
"""A process that has imported TensorFlow and computed nothing forks safely: 100 of 100 times."""


class _Channel:
    """Lines of JSON to and from the parent; what anybody else prints goes to standard error."""

    def __init__(self) -> None:
        """Take standard output for ourselves."""
        self._in = os.fdopen(os.dup(0), "rb", buffering=0)
        self._out = os.fdopen(os.dup(1), "wb", buffering=0)
        os.dup2(2, 1)

    def request(self) -> dict[str, Any]:
        """The next request; the parent's end is one to end as well.

        It is read without a buffer, so that parent and fork take turns at the same pipe.
        """
        line = self._in.readline()
        found: dict[str, Any] = json.loads(line) if line else {"do": "stop"}
        return found

    def reply(self, **values: Any) -> None:
        """Answer it."""
        self._out.write(json.dumps(values).encode() + b"\n")


def main(arguments: Sequence[str]) -> int:
    """Serve one parent; returns the exit status."""
    channel = _Channel()
    scenario = load_scenario(Path(arguments[0]))
    try:
        keras = import_keras()
    except HarnessError as error:
        channel.reply(error=str(error))
        return 0
    # Imported before the fork, so that no pair pays for it; none of them computes anything.
    import harness.benchmark.measuring  # noqa: F401, PLC0415

    backend = keras.config.backend()
    forks = backend in _FORKED_BACKENDS and sys.platform == "linux"
    # What is there already never becomes garbage: collections before each round skip it.
    gc.collect()
    gc.freeze()
    channel.reply(versions=_versions(keras, backend), forks=forks)
    while (request := channel.request())["do"] == "begin":
        if not forks:
            _serve(channel, scenario, int(request["steps"]))
            break
        _fork(channel, scenario, int(request["steps"]))
    return 0


def _fork(channel: _Channel, scenario: Scenario, steps: int) -> None:
    """Let a fork serve the pair; say so where it dies of it."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            _serve(channel, scenario, steps)
            status = 0
        except BaseException:  # noqa: BLE001 - a fork must never return into its parent's code
            traceback.print_exc()
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code != 0:
        how = f"status {code}" if code > 0 else signal.Signals(-code).name
        channel.reply(error=f"the process ended with {how}")


def _serve(channel: _Channel, scenario: Scenario, steps: int) -> None:
    from harness.benchmark.measuring import cannot_measure  # noqa: PLC0415 - imports Keras
    from harness.benchmark.side import Side  # noqa: PLC0415
    from harness.pipeline.backend import installed_versions  # noqa: PLC0415
    from harness.runner.required import missing_requirement  # noqa: PLC0415

    reason = missing_requirement(scenario, installed_versions())
    if reason is None and scenario.spec.benchmark is not None:
        reason = cannot_measure(scenario)
    if reason is not None:
        channel.reply(left_out=reason)
        return
    with tempfile.TemporaryDirectory(prefix="harness-", ignore_cleanup_errors=True) as folder:
        try:
            benchmark = scenario.spec.benchmark or BenchmarkSpec()
            side = Side(scenario.base, benchmark, Path(folder), steps=steps)
            channel.reply(begun=True)
            while (request := channel.request())["do"] == "round":
                side.round()
                channel.reply(step_seconds=side.step_seconds)
            if request["do"] == "end":
                found = side.measurement()
                channel.reply(
                    compile_seconds=found.build_seconds + found.compile_seconds,
                    peak_rss_bytes=found.peak_rss_bytes,
                    peak_device_bytes=found.peak_device_bytes,
                )
        except HarnessError as error:
            channel.reply(error=str(error))
        except Exception as error:  # noqa: BLE001 - what is no scenario to be measured may raise anything
            channel.reply(error=f"{type(error).__name__}: {error}")


def _versions(keras: Any, backend: str) -> dict[str, str]:
    import platform  # noqa: PLC0415
    from importlib import import_module  # noqa: PLC0415

    return {
        "python": platform.python_version(),
        "numpy": import_module("numpy").__version__,
        "keras": keras.__version__,
        backend: import_module(backend).__version__,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
