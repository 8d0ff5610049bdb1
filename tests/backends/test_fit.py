"""The fit loop of a pipeline, and measuring it, on whichever backend Keras computes with.

`tox -e jax` and `tox -e torch` run these where TensorFlow is not installed.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from harness.benchmark.measuring import measure
from harness.cli.main import main
from harness.errors import MissingBackendError
from harness.pipeline.backend import backend_name, cannot_observe, environment
from harness.pipeline.device import bytes_in_use, device, peak_bytes, synchronise
from harness.pipeline.inputs import build_inputs
from harness.pipeline.loops import train
from harness.pipeline.numerics import numerics, seed_everything
from harness.pipeline.observer import Unobserved
from harness.pipeline.pipeline import TrainingPipeline
from harness.spec.loader import parse_scenario
from harness.spec.pipeline import PipelineSpec

if TYPE_CHECKING:
    from pathlib import Path

# Keras' own, on other backends than TensorFlow.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64:UserWarning"),
    pytest.mark.filterwarnings("ignore:`shuffle=True` was passed, but will be ignored"),
]

ELSEWHERE = backend_name() != "tensorflow"

BLOBS = {"kind": "blobs", "examples": 48, "features": 12, "classes": 3, "batch_size": 16}
SEQUENCES = {"kind": "sequences", "examples": 48, "timesteps": 5, "features": 3, "batch_size": 16}
CLASSES: dict[str, Any] = {"outputs": 3, "output_activation": "softmax"}

MODELS: dict[str, dict[str, Any]] = {
    "mlp": {
        "data": BLOBS,
        "model": {"kind": "mlp", "units": [8, 3], "output_activation": "softmax"},
        "loss": {"kind": "sparse_categorical_crossentropy"},
    },
    "convolution": {
        "data": BLOBS,
        "model": {
            "kind": "convolution",
            "image": [2, 2, 3],
            "filters": [4],
            "batch_norm": True,
            **CLASSES,
        },
        "loss": {"kind": "sparse_categorical_crossentropy"},
    },
    "lstm": {"data": SEQUENCES, "model": {"kind": "lstm"}},
    "attention": {"data": SEQUENCES, "model": {"kind": "attention", "blocks": 2}},
    "embedding": {
        "data": {"kind": "tokens", "examples": 48, "batch_size": 16},
        "model": {"kind": "embedding"},
        "loss": {"kind": "binary_crossentropy"},
    },
}


def built(**tables: Any) -> tuple[PipelineSpec, TrainingPipeline]:
    """Return a pipeline of eight epochs that nobody watches, and its specification."""
    tables = {
        "optimizer": {"kind": "adam", "learning_rate": 0.02},
        "training": {"kind": "fit", "epochs": 8},
        **tables,
    }
    spec = PipelineSpec.model_validate(tables)
    with numerics(spec):
        seed_everything(spec.seed)
        return spec, TrainingPipeline(spec, build_inputs(spec).examples, Unobserved())


def losses(spec: PipelineSpec, pipeline: TrainingPipeline) -> list[float]:
    """Return the loss of each epoch."""
    with numerics(spec):
        seed_everything(spec.seed)
        end = train(pipeline, spec, build_inputs(spec), [], Unobserved())
    return [float(loss) for loss in end.history.history["loss"]]


@pytest.mark.parametrize("name", MODELS)
def test_fit_learns_on_every_backend(name: str) -> None:
    """Each kind of model gets better at what it is trained on."""
    values = losses(*built(**MODELS[name]))

    assert np.isfinite(values).all()
    assert values[-1] < values[0]


@pytest.mark.parametrize("source", ["array", "generator", "py_dataset"])
def test_fit_reads_what_needs_no_tensorflow(source: str) -> None:
    """Arrays, generators and PyDatasets are Python's own."""
    repeat = 0 if source == "generator" else 1
    tables = MODELS["mlp"] | {"data": BLOBS | {"source": source, "repeat": repeat}}
    tables["training"] = {"kind": "fit", "epochs": 3, "steps_per_epoch": 3}

    values = losses(*built(**tables))

    assert len(values) == 3
    assert values[-1] < values[0]


@pytest.mark.parametrize("policy", ["float64", "mixed_bfloat16", "mixed_float16"])
def test_fit_computes_in_the_precision_asked_for(policy: str) -> None:
    """Every policy trains on every backend's processor."""
    if policy == "float64" and backend_name() == "jax":
        pytest.skip("JAX has no float64 unless its own flag asks for it")
    values = losses(*built(**MODELS["mlp"], precision={"policy": policy}))

    assert values[-1] < values[0]


def test_a_pipeline_is_put_back_to_its_beginning() -> None:
    """After a reset, every variable has the value that it had before the first step."""
    spec, pipeline = built(**MODELS["mlp"])
    before = [np.array(variable.numpy()) for variable in pipeline.variables]
    losses(spec, pipeline)

    pipeline.reset(spec)

    after = [np.array(variable.numpy()) for variable in pipeline.variables]
    assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))


TINY = """
title = "A tiny network"
[pipeline]
data = { kind = "linear_regression", examples = 16, batch_size = 4 }
model = { kind = "mlp", units = [3, 1] }
[benchmark]
warmup_steps = 1
steps = 3
"""


def test_speed_is_measured_on_every_backend(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With the peaks of the machine, as that backend reaches them."""
    monkeypatch.setenv("HARNESS_CACHE_DIR", str(tmp_path))
    text = TINY + 'against = { "data.batch_size" = 8 }'

    found = measure(parse_scenario(text, path="speed/tiny.toml"), rounds=6)

    assert found.environment.backend == backend_name() == environment().backend
    assert found.measured.examples == 12
    assert found.measured.flops_per_step == 3 * 2 * 4 * (4 * 3 + 3 * 1)
    assert found.peaks.flops_per_second > 0.0
    assert found.speed_up is not None
    assert found.speed_up.low > 0.0
    assert found.finite


def test_a_device_is_named() -> None:
    """There is one, and waiting for it works whether or not it is a GPU."""
    here = device()

    assert here.count >= 1
    assert bool(here.name) == (here.kind == "gpu")
    assert (peak_bytes() is None) == (bytes_in_use() is None) == (here.kind == "cpu")
    synchronise({"loss": 0.5})


@pytest.mark.skipif(not ELSEWHERE, reason="the backend is TensorFlow")
def test_nothing_imports_tensorflow_elsewhere() -> None:
    """All of the above went without it."""
    losses(*built(**MODELS["mlp"]))

    assert "tensorflow" not in sys.modules


@pytest.mark.skipif(not ELSEWHERE, reason="the backend is TensorFlow")
def test_loops_of_tensorflow_say_that_they_need_it() -> None:
    """A hand-written loop around a GradientTape has no equal elsewhere."""
    with pytest.raises(MissingBackendError, match="tensorflow must be importable"):
        built(**MODELS["mlp"] | {"training": {"kind": "gradient_tape"}})


def test_where_trainings_are_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recorder is TensorFlow's; elsewhere that is said, and nothing is called a failure."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.toml").write_text(
        'title = "Counts agree"\n[[expect]]\nkind = "invariant"\nname = "counts_agree"\n',
        encoding="utf-8",
    )

    status = main(["run", "file.toml"])

    error = capsys.readouterr().err
    assert (cannot_observe() is not None) == ELSEWHERE
    assert status == (2 if ELSEWHERE else 0)
    assert ("not judged: trainings are judged on the TensorFlow backend" in error) == ELSEWHERE


@pytest.mark.skipif(not ELSEWHERE, reason="the backend is TensorFlow")
def test_a_session_skips_what_it_cannot_judge(pytester: pytest.Pytester) -> None:
    """Scenarios are skipped with a reason, benchmarks are measured."""
    folder = pytester.mkdir("scenarios")
    expect = '[[expect]]\nkind = "invariant"\nname = "counts_agree"\n'
    (folder / "tiny.toml").write_text(TINY + expect, encoding="utf-8")

    result = pytester.runpytest_subprocess("--benchmark-columns=median")

    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["*trainings are judged on the TensorFlow backend*"])
    result.stdout.fnmatch_lines(["*measured:*", "*examples/s; step*"])
