"""However a training dies, and wherever: the reason is right, and every step done is there."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from harness.errors import PipelineError
from harness.isolation.evidence import Limits
from harness.isolation.training import IsolatedTraining
from harness.spec.pipeline import PipelineSpec
from harness.trace import StopReason
from harness.trace.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.isolation.client import Server

DEATHS = Path(__file__).with_name("deaths.py")
PLACES = ("build", "step", "callback")
STEPS = {"build": 0, "step": 5, "callback": 6}
BUDGET = 256 << 20


class Death(NamedTuple):
    """What must come out of a way to die.

    Attributes:
        reason: The stop reason; the callback's own where the callback is to blame.
        evidence: A pattern that the sentence has.
        line: Text of the line of `deaths.py` that is named; None where nobody can know it.
    """

    reason: str
    evidence: str
    line: str | None = None


WAYS = {
    "exception": Death("error", r"raised ValueError|ValueError was raised", "raise error"),
    "resource_exhausted": Death("out_of_memory", r"ResourceExhaustedError was raised"),
    "memory_error": Death("out_of_memory", r"\w*MemoryError was raised"),
    # The limit behind the budget refuses it, except where there are hundreds of cores.
    "large_allocation": Death("out_of_memory", r"MemoryError was raised|It held .* budget is"),
    "bad_alloc": Death("out_of_memory", r"SIGABRT .*std::bad_alloc", "new(1 << 60)"),
    "segmentation_fault": Death("killed", r"SIGSEGV ended the process", "ctypes.string_at(0)"),
    "abort": Death("killed", r"SIGABRT ended the process"),
    "killed": Death("killed", r"SIGKILL ended the process, and the kernel did not send it"),
    "terminated": Death("killed", r"SIGTERM ended the process"),
    "over_budget": Death("out_of_memory", r"It held 2\d\d MiB more than .* budget is 256 MiB"),
    "deadline": Death("timed_out", r"Its 500 s were over", "time.sleep(600)"),
    "deadlock": Death("timed_out", r"No progress for 400 s with \d", "lock.acquire()"),
    "sys_exit": Death("error", r"raised SystemExit|SystemExit was raised", "sys.exit(3)"),
    "os_exit": Death("error", r"os\._exit\(3\) was called", "os._exit(3)"),
    "native_exit": Death("error", r"The process ended itself with status 4"),
    "interrupted": Death("interrupted", r"KeyboardInterrupt"),
}


def pipeline(way: str, place: str, marker: Path | None = None) -> PipelineSpec:
    """Two epochs of four eager steps, with a death in it."""
    arguments: dict[str, Any] = {"way": way, "place": place}
    if marker is not None:
        arguments["marker"] = str(marker)
    own = "tests.isolation.deaths"
    return PipelineSpec.model_validate(
        {
            "data": {"kind": "linear_regression", "examples": 16, "features": 4, "batch_size": 4},
            "model": {"kind": "import", "import": f"{own}:model", "arguments": arguments},
            "training": {"kind": "fit", "epochs": 2},
            "callbacks": [{"kind": "import", "import": f"{own}:callback", "arguments": arguments}],
            "compile": {"run_eagerly": True},
        }
    )


def clock_that_runs_away(marker: Path) -> Callable[[], float]:
    """A thousand seconds pass in each second since the file is there: nobody waits for a limit."""

    def clock() -> float:
        since = time.time() - marker.stat().st_mtime if marker.exists() else 0.0
        return time.monotonic() + 1000.0 * max(since, 0.0)

    return clock


def training(server: Server, marker: Path, **limits: Any) -> IsolatedTraining:
    """A training under this server, with a clock that runs away at the marker."""
    return IsolatedTraining(
        limits=Limits(**limits), server=lambda: server, clock=clock_that_runs_away(marker)
    )


def limits_for(way: str) -> dict[str, Any]:
    """The limit that ends a death which does not end by itself."""
    match way:
        case "deadline":
            return {"wall_seconds": 500.0}
        case "deadlock":
            return {"stall_seconds": 400.0}
        case _:
            return {"memory_bytes": BUDGET}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("way", WAYS)
def test_death_is_classified(way: str, place: str, server: Server, tmp_path: Path) -> None:
    """The reason, its evidence, the culprit and every step up to the death."""
    death, marker = WAYS[way], tmp_path / "there"
    train = training(server, marker, **limits_for(way))
    if (way, place) == ("exception", "build"):
        # The user's own function does not even make a model: nothing ran, something is to mend.
        with pytest.raises(PipelineError, match=r"deaths:model must return .* no such thing"):
            train(pipeline(way, place), Recording())
        return

    trace = train(pipeline(way, place, marker), Recording())

    stop = trace.stop
    reason = death.reason
    if place == "callback" and reason == "error":
        reason = "callback_error"
    assert stop.reason is StopReason(reason), stop.sentence
    assert re.search(death.evidence, stop.sentence), stop.sentence
    assert len(trace.steps) == STEPS[place]
    assert trace.steps.epoch.tolist() == [0, 0, 0, 0, 1, 1][: STEPS[place]]
    assert trace.steps.batch.tolist() == [0, 1, 2, 3, 0, 1][: STEPS[place]]
    if place != "build":
        assert trace.steps.column("iterations_after").tolist() == [*range(1, STEPS[place] + 1)]
        assert trace.steps.column("loss").all()
        assert [record.epoch for record in trace.epochs] == [0]
        assert (stop.epoch, stop.step) == (1, STEPS[place] - 1)
        assert (stop.planned_epochs, stop.planned_steps) == (2, 8)
    if place == "callback":
        assert stop.callback == "Deadly"
    # Where a step raises, the exception's own text says what is wrong with which layer.
    if death.line is not None and (way, place) != ("exception", "step"):
        assert stop.location is not None, stop.sentence
        file, _, line = stop.location.rpartition(":")
        assert Path(file) == DEATHS
        assert death.line in DEATHS.read_text("utf-8").splitlines()[int(line) - 1]
