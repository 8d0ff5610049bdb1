"""One pipeline, built and warmed up, that can be timed a round at a time."""

from __future__ import annotations

import gc
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from harness.benchmark.clock import Clock
from harness.benchmark.measurement import Measurement
from harness.errors import HarnessError, PipelineError
from harness.pipeline import device
from harness.pipeline.callbacks import build_callbacks
from harness.pipeline.flops import TRAINING_FACTOR, forward_flops, state_bytes
from harness.pipeline.inputs import Inputs, build_inputs
from harness.pipeline.loops import train
from harness.pipeline.numerics import names_from_zero, numerics, seed_everything
from harness.pipeline.pipeline import TrainingPipeline
from harness.pipeline.sources import build_source
from harness.recorders.resources import PeakMemory
from harness.spec.training import FitSpec

if TYPE_CHECKING:
    from pathlib import Path

    from harness.pipeline.data import Examples
    from harness.spec.pipeline import PipelineSpec
    from harness.spec.scenario import BenchmarkSpec

__all__ = ["Side"]

_COMPUTED_IN = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}


class Side:
    """One side of a benchmark.

    Building it makes the model, runs the first call, which traces and compiles, and warms up.

    Attributes:
        round_seconds: Every round that was run.
    """

    def __init__(
        self, spec: PipelineSpec, benchmark: BenchmarkSpec, folder: Path, *, steps: int
    ) -> None:
        """Build, compile and warm up.

        Args:
            spec: What to train.
            benchmark: What of it is timed.
            folder: Where callbacks may write.
            steps: Train steps in a round, where steps are timed.

        Raises:
            PipelineError: It can't be built or trained.
            MissingBackendError: It needs TensorFlow, and Keras computes with something else.
        """
        self._spec, self._folder, self._clock = _one_run(spec, benchmark), folder, Clock()
        self._whole = benchmark.measure == "epoch"
        self._each = spec.compile.steps_per_execution
        self._tiled: tuple[int, Examples] | None = None
        self.round_seconds: list[float] = []
        self._call_seconds: tuple[float, ...] = ()
        self._loss: float | None = None
        memory, in_use = PeakMemory(), device.bytes_in_use()
        self._start_rss_bytes = memory.sample()
        device.reset_peak()
        started = time.perf_counter()
        with numerics(spec):
            seed_everything(spec.seed)
            inputs = build_inputs(self._spec)
            self._build(inputs)
            self._build_seconds = time.perf_counter() - started
            self._first_seconds = self._run(self._each) / self._each
            self._steps = self._planned(inputs, steps)
            warm_up = -(-benchmark.warmup_steps // self._each) * self._each
            if warm_up and not self._whole:
                self._run(warm_up)
            elif warm_up:
                self._run(self._steps, whole=True)
        self._peak_rss_bytes = memory.bytes()
        peak = device.peak_bytes()
        self._peak_device_bytes = None if peak is None else peak - (in_use or 0)

    def _build(self, inputs: Inputs) -> None:
        if inputs.examples is None:
            message = "a benchmark trains a model on data, and there are none"
            raise TypeError(message)
        self._kept = inputs.examples
        try:
            with names_from_zero():
                self._pipeline = TrainingPipeline(self._spec, self._kept, self._clock)
        except HarnessError:
            raise
        except Exception as error:
            raise _unusable(error, "built") from error

    def _planned(self, inputs: Inputs, steps: int) -> int:
        """Steps of a round; those of an epoch that nobody can foresee are counted in one."""
        if not self._whole:
            return steps
        training = self._spec.training
        wanted = training.steps_per_epoch if isinstance(training, FitSpec) else None
        planned = wanted or (None if inputs.source is None else inputs.source.batches)
        if planned is None:
            self._run(0, whole=True)
            planned = (self._clock.executions or 1) * self._each
        return planned

    @property
    def step_seconds(self) -> float:
        """Seconds per step of the last round."""
        return self.round_seconds[-1] / self._steps

    @property
    def _examples(self) -> int:
        """Examples in a round."""
        full = self._steps * self._spec.data.batch_size
        training = self._spec.training
        bounded = isinstance(training, FitSpec) and training.steps_per_epoch is not None
        if not self._whole or bounded or self._spec.data.drop_remainder:
            return full
        return min(full, len(self._kept) * max(self._spec.data.repeat, 1))

    def round(self) -> None:
        """Train one more round and keep its time."""
        with numerics(self._spec):
            self.round_seconds.append(self._run(self._steps, whole=self._whole))

    def time_each_call(self) -> None:
        """One more round, waiting for the device after every call into the compiled step."""
        if self._whole or not isinstance(self._spec.training, FitSpec):
            return
        with numerics(self._spec):
            self._run(self._steps, each_step=True)
        self._call_seconds = tuple(self._clock.step_seconds)

    def measurement(self) -> Measurement:
        """All that was measured."""
        forward = forward_flops(self._pipeline.model)
        examples = self._examples
        per_step = None if forward is None else forward * TRAINING_FACTOR * examples / self._steps
        measured = Measurement(
            round_seconds=tuple(self.round_seconds),
            steps=self._steps,
            examples=examples,
            call_seconds=self._call_seconds,
            steps_per_call=self._each,
            build_seconds=self._build_seconds,
            compile_seconds=0.0,
            start_rss_bytes=self._start_rss_bytes,
            peak_rss_bytes=self._peak_rss_bytes,
            peak_device_bytes=self._peak_device_bytes,
            flops_per_step=per_step,
            state_bytes=state_bytes(self._pipeline.variables),
            compute_dtype=self.compute_dtype,
            loss=self._loss,
        )
        beyond = (self._first_seconds - measured.step_seconds) * self._each
        return replace(measured, compile_seconds=max(beyond, 0.0))

    @property
    def compute_dtype(self) -> str:
        """Dtype that the matrix products are computed in."""
        policy = self._spec.precision.policy
        own: str | None = getattr(self._spec.model, "dtype", None)
        return own or _COMPUTED_IN.get(policy, policy)

    def _run(self, steps: int, *, each_step: bool = False, whole: bool = False) -> float:
        """Train so many steps, or an epoch; returns what the clock says."""
        inputs = build_inputs(self._spec) if whole else self._inputs(steps)
        own, scripts = build_callbacks(self._spec.callbacks, self._folder)
        self._clock.start(each_step=each_step, whole_epoch=whole)
        callbacks = self._clock.around([*scripts, *own])
        enabled = gc.isenabled()
        gc.disable()
        try:
            train(self._pipeline, self._spec, inputs, callbacks, self._clock)
        except HarnessError:
            raise
        except Exception as error:
            raise _unusable(error, "trained") from error
        finally:
            if enabled:
                gc.enable()
        self._loss = self._clock.loss
        self._check(steps)
        return self._clock.seconds

    def _check(self, steps: int) -> None:
        """A round that stopped early was not as long as its steps."""
        done = self._clock.executions
        if steps and done is not None and done * self._each < steps:
            message = (
                f"a round must have {steps} steps, got {done * self._each}. Leave out callbacks "
                "that stop the training, and give the data that many batches."
            )
            raise PipelineError(message)

    def _inputs(self, steps: int) -> Inputs:
        """Examples for so many full batches, over and over, in their order."""
        data = self._spec.data
        if self._tiled is None or self._tiled[0] != steps:
            rows = np.arange(steps * data.batch_size) % len(self._kept)
            self._tiled = (steps, self._kept.cut(rows))
        examples = self._tiled[1]
        plain = {"repeat": 1, "fails_at": None, "pass_lengths": None}
        if data.shuffle is None and data.source in ("array", "tensor", "py_dataset"):
            plain["shuffle"] = False
        source = build_source(
            data.source, examples, data.model_copy(update=plain), seed=self._spec.seed
        )
        return Inputs(examples=examples, source=source)


def _one_run(spec: PipelineSpec, benchmark: BenchmarkSpec) -> PipelineSpec:
    """The pipeline with a training of one epoch, which is one round."""
    whole = benchmark.measure == "epoch"
    changes: dict[str, object] = {"epochs": 1}
    if isinstance(spec.training, FitSpec):
        changes["initial_epoch"] = 0
    else:
        changes["max_steps"] = None
    if not whole:
        changes["steps_per_epoch"] = None
    training = spec.training.model_copy(update=changes)
    kept = spec.validation if whole else None
    return spec.model_copy(update={"training": training, "validation": kept})


def _unusable(error: Exception, verb: str) -> PipelineError:
    text = " ".join(str(error).split())
    message = f"the pipeline can't be {verb}: {type(error).__name__}: {text}"
    return PipelineError(message)
