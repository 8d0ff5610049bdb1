"""A run in a process of its own gives the trace that a run in ours gives."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from harness.errors import PipelineError
from harness.isolation.evidence import Limits
from harness.isolation.training import IsolatedTraining, training_for
from harness.runner.judging import run_training
from harness.spec.pipeline import PipelineSpec
from harness.trace import StopReason
from harness.trace.recording import Recording
from tests.isolation.test_fault_matrix import pipeline as deadly
from tests.runner.synthetic import BOUND, scenario_of

if TYPE_CHECKING:
    from pathlib import Path

    from harness.isolation.client import Server
    from harness.trace import Trace

EVERYTHING = Recording.of("samples", "hooks", "gradients", "state", "examples")

DRIVEN = {
    "model": {"kind": "variables", "shapes": [[2]]},
    "training": {"kind": "apply_gradients", "gradients": [[0.5, 1.0]] * 5},
}


def spec_of(**tables: Any) -> PipelineSpec:
    """A pipeline of a few steps with these tables."""
    data = {"kind": "linear_regression", "examples": 16, "features": 4, "batch_size": 4}
    model = {"kind": "mlp", "units": [1]}
    return PipelineSpec.model_validate({"data": data, "model": model, **tables})


@pytest.fixture
def isolated(server: Server) -> IsolatedTraining:
    """Training without limits."""
    return IsolatedTraining(server=lambda: server)


def without_costs(trace: Trace) -> Trace:
    """The trace without what differs from process to process."""
    resources = replace(
        trace.resources, wall_seconds=0.0, peak_rss_bytes=0, start_rss_bytes=0, left_behind=None
    )
    epochs = tuple(replace(epoch, rss_bytes=0) for epoch in trace.epochs)
    return replace(trace, resources=resources, epochs=epochs)


@pytest.mark.parametrize(
    "tables",
    [
        {
            "training": {"kind": "fit", "epochs": 2},
            "callbacks": [{"kind": "early_stopping", "monitor": "loss"}, "csv_logger"],
            "compile": {"jit_compile": False},
        },
        {"training": {"kind": "gradient_tape", "epochs": 2}},
        {"training": {"kind": "while_loop", "max_steps": 6}, "data.source": "dataset"},
        DRIVEN,
    ],
    ids=["fit", "gradient_tape", "while_loop", "apply_gradients"],
)
def test_traces_are_equal(tables: dict[str, Any], isolated: IsolatedTraining) -> None:
    """Whatever is recorded, bit for bit: the streaming changes nothing."""
    tables = dict(tables)
    source = tables.pop("data.source", None)
    spec = spec_of(**tables)
    if source is not None:
        data = spec.data.model_copy(update={"source": source})
        spec = spec.model_copy(update={"data": data})

    there, here = isolated(spec, EVERYTHING), run_training(spec, EVERYTHING, reuse=False)

    assert without_costs(there) == without_costs(here)
    assert len(there.steps) > 3


def test_steps_of_a_graph_survive(isolated: IsolatedTraining) -> None:
    """Where a whole loop is one graph, each step is told from inside."""
    spec = deadly("os_exit", "graph").model_copy(
        update={
            "training": spec_of(training={"kind": "while_loop", "max_steps": 8}).training,
            "callbacks": (),
            "compile": spec_of().compile,
        }
    )
    data = spec.data.model_copy(update={"source": "dataset", "examples": 32})

    trace = isolated(spec.model_copy(update={"data": data}), Recording())

    assert trace.stop.reason is StopReason.ERROR, trace.stop.sentence
    assert "os._exit(3) was called" in trace.stop.evidence
    assert trace.steps.column("iterations_after").tolist() == [1, 2, 3, 4, 5]
    assert np.isfinite(trace.steps.column("gradient_norm")).all()


def test_events_up_to_the_death_survive(isolated: IsolatedTraining) -> None:
    """Hooks of callbacks as they were called, and what native code wrote."""
    trace = isolated(deadly("segmentation_fault", "callback"), Recording.of("hooks"))

    hooks = [event.name for event in trace.events if event.kind == "hook"]
    assert hooks[-1] == "on_train_batch_end"
    assert hooks.count("on_train_batch_end") == 6
    said = [event for event in trace.events if event.kind == "process"]
    assert [event.name for event in said] == ["stderr"]
    assert "Segmentation fault" in str(said[0].detail["text"])


def test_what_the_user_must_mend_is_raised(isolated: IsolatedTraining) -> None:
    """As it would be raised here."""
    spec = spec_of().model_copy(
        update={"model": spec_of(model={"kind": "import", "import": "no.such:model"}).model}
    )

    with pytest.raises(PipelineError) as raised:
        isolated(spec, Recording())

    with pytest.raises(PipelineError) as expected:
        run_training(spec, Recording())
    assert str(raised.value) == str(expected.value)


def test_what_a_run_prints_is_seen(
    isolated: IsolatedTraining, capfd: pytest.CaptureFixture[str]
) -> None:
    """On the streams that the person who runs it looks at."""
    isolated(deadly("segmentation_fault", "build"), Recording())

    assert "Segmentation fault" in capfd.readouterr().err


def test_a_run_sees_the_environment_of_now(
    isolated: IsolatedTraining, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """And what it prints is seen, although it dies."""
    monkeypatch.setenv("OF_NOW", "seen by the run")
    model = {
        "kind": "import",
        "import": "tests.isolation.leftovers:printing",
        "arguments": {"variable": "OF_NOW"},
    }

    isolated(spec_of(model=model), Recording())

    assert capfd.readouterr().out == "seen by the run\n"


def test_temporary_files_of_a_dead_run_are_removed(
    isolated: IsolatedTraining, server: Server
) -> None:
    """Callbacks had a folder."""
    isolated(deadly("os_exit", "callback"), Recording())

    assert server.scratch() == []


def test_a_fault_of_our_own_is_an_error(
    isolated: IsolatedTraining, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is never taken for a failure of the training."""
    broken = tmp_path / "harness"
    broken.mkdir()
    (broken / "__init__.py").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("harness.isolation.training.Path.cwd", lambda: tmp_path / "gone")

    with pytest.raises(RuntimeError, match="a fault of the harness ended an isolated run"):
        isolated(spec_of(**DRIVEN), Recording())


@pytest.mark.parametrize(
    ("parts", "isolated"),
    [
        ([BOUND], False),
        ([BOUND, '[limits]\nmemory = "100 MiB"'], True),
        ([BOUND, "[limits]\nwall_seconds = 5"], True),
        ([BOUND, "[limits]\nstall_seconds = 5"], True),
        ([BOUND, "[limits]\npeak_rss_bytes = 5"], False),
        ([BOUND, '[limits]\nwall_seconds = 5\nisolation = "none"'], False),
        ([BOUND, '[limits]\nisolation = "process"'], True),
        (['[[expect]]\nkind = "stops"\nreason = "killed"'], True),
        (['[[expect]]\nkind = "stops"\nreason = "out_of_memory"'], False),
    ],
)
def test_isolation_is_chosen(parts: list[str], *, isolated: bool) -> None:
    """Left to us: where only a watcher can do what is asked."""
    assert (training_for(scenario_of(*parts)) is not None) is isolated


def test_limits_are_handed_on() -> None:
    """Sizes in words are bytes; silence has a limit of its own."""
    text = '[limits]\nmemory = "1.5 GiB"\nwall_seconds = 60'
    training = training_for(scenario_of(BOUND, text))

    assert training is not None
    assert training.limits == Limits(memory_bytes=3 << 29, wall_seconds=60.0, stall_seconds=300.0)
    assert "tests.isolation.deaths" not in sys.modules
