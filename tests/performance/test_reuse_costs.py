"""What an example costs: driven, through a kept pipeline, and built afresh; and what it leaves."""

from __future__ import annotations

import gc
import itertools
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.recorders.resources import resident_bytes
from harness.runner.run import SESSIONS, run_pipeline
from harness.runner.sessions import SESSIONS_KEPT
from harness.spec.pipeline import PipelineSpec
from harness.trace import Recording
from tests.performance.interleaved import compare

if TYPE_CHECKING:
    import pytest

    from tests.performance.interleaved import Measure

ROUNDS = 8
SESSION = 10
MOST_GROWTH_BYTES = 100_000_000
CHEAP = Recording()
ALL = Recording.of("samples", "gradients", "state", "examples")

SEEDS = itertools.count()


def fit(**tables: Any) -> PipelineSpec:
    """Return one epoch of ten steps on new data."""
    data = {
        "kind": "linear_regression", "examples": 50, "batch_size": 5, "source": "dataset",
        "seed": next(SEEDS) % 100,
    }  # fmt: skip
    return PipelineSpec.model_validate({"data": data, "training": {"kind": "fit"}, **tables})


def driven(steps: int = 10) -> PipelineSpec:
    """Return as many steps of the optimizer alone on new gradients."""
    seed = next(SEEDS)
    rows = [[((seed + row + place) % 16) / 8 - 1 for place in range(5)] for row in range(steps)]
    return PipelineSpec.model_validate(
        {
            "model": {"kind": "variables", "shapes": [[2], [3]]},
            "training": {"kind": "apply_gradients", "gradients": rows},
        }
    )


def as_users_write_it() -> float:
    """CPU seconds of building, compiling and fitting a small model for ten steps, unobserved."""
    import keras

    rng = np.random.default_rng(next(SEEDS))
    inputs, targets = rng.normal(size=(50, 4)), rng.normal(size=(50, 1))
    started = time.process_time()
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1)]
    )
    model.compile(optimizer="adam", loss="mse")
    model.fit(inputs, targets, batch_size=5, verbose=0)
    return time.process_time() - started


def cost(make: Any, recording: Recording, *, reuse: bool, times: int = 1) -> Measure:
    """Returns CPU seconds of one example."""

    def run() -> float:
        specs = [make() for _ in range(times)]
        started = time.process_time()
        for spec in specs:
            run_pipeline(spec, recording, reuse=reuse)
        return (time.process_time() - started) / times

    return run


def test_kept_pipelines_cost_little(capsys: pytest.CaptureFixture[str]) -> None:
    """Prints CPU time of an example, with all that is recorded for a full reference."""
    subjects = {
        "as users write it": as_users_write_it,
        "built afresh": cost(fit, ALL, reuse=False),
        "kept": cost(fit, ALL, reuse=True, times=25),
        "driven": cost(driven, ALL, reuse=True, times=50),
    }
    ratios = compare(subjects, rounds=ROUNDS, base="as users write it")
    with capsys.disabled():
        print(f"\n\nCPU time of one example of ten steps, {ROUNDS} interleaved rounds:")
        for ratio in ratios:
            print(ratio.line("ms", 1e3) + f"  {1 / ratio.ratio:.0f} times cheaper")
    assert all(ratio.pairs == ROUNDS for ratio in ratios)


def test_memory_stays_flat(capsys: pytest.CaptureFixture[str]) -> None:
    """A session of runs through kept pipelines, ten times over, leaves nothing behind.

    What building afresh leaves is printed beside it: TensorFlow does not give all of it back.
    """
    mixture: list[dict[str, Any]] = [
        {"optimizer": kind} for kind in ("sgd", "adam", "rmsprop", "adagrad")
    ]
    assert len(mixture) < SESSIONS_KEPT

    def session() -> int:
        for tables in mixture:
            for _ in range(6):
                run_pipeline(fit(**tables), CHEAP)
                run_pipeline(driven(), CHEAP)
        gc.collect()
        return resident_bytes()

    SESSIONS.clear()
    sizes = [session() for _ in range(SESSION)]
    for _ in range(SESSION):
        run_pipeline(fit(), CHEAP, reuse=False)
    gc.collect()
    built = (resident_bytes() - sizes[-1]) / SESSION
    grown = sizes[-1] - sizes[0]
    with capsys.disabled():
        print(f"\n\nResident memory after each of {SESSION} sessions of {12 * len(mixture)} runs:")
        print("  " + ", ".join(f"{size / 1e6:.0f}" for size in sizes) + " MB")
        print(
            f"  grown by {grown / 1e6:.0f} MB since the first; a fresh build adds {built / 1e6:.1f}"
        )
    assert grown < MOST_GROWTH_BYTES
