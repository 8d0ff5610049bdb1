"""What was measured, as data; text is made at the edge."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.benchmark.machine import Peaks
    from harness.pipeline.device import Device
    from harness.statistics.ratio import RatioEstimate
    from harness.trace import Environment

__all__ = ["Benchmark", "Measurement"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One pipeline's speed and needs, compiling and warming up apart.

    Attributes:
        round_seconds: Duration of each measured round, the device done at its end.
        steps: Train steps in a round.
        examples: Examples trained on in a round.
        call_seconds: Duration of each call into the compiled step, in extra rounds in which the
            device was waited for after every call; empty where only whole rounds can be timed.
        steps_per_call: Steps of one such call, ``steps_per_execution``.
        build_seconds: Making the model and compiling the Keras way, before the first step.
        compile_seconds: What the first call took beyond a warm one: tracing and compiling.
        start_rss_bytes: Resident memory of the process before the model was built.
        peak_rss_bytes: Its peak until the warm-up was over.
        peak_device_bytes: Device memory that this pipeline had in use at most until then; None on
            a processor.
        flops_per_step: Operations of the matrix products of a step; None where a layer is of a
            kind that can't be counted.
        state_bytes: Memory of all weights and optimizer variables.
        compute_dtype: Dtype that the matrix products are computed in.
        loss: Loss of the last round; None where nobody told it.
    """

    round_seconds: tuple[float, ...]
    steps: int
    examples: int
    call_seconds: tuple[float, ...]
    steps_per_call: int
    build_seconds: float
    compile_seconds: float
    start_rss_bytes: int
    peak_rss_bytes: int
    peak_device_bytes: int | None
    flops_per_step: float | None
    state_bytes: int
    compute_dtype: str
    loss: float | None

    @property
    def step_samples(self) -> tuple[float, ...]:
        """Seconds per step of each round."""
        return tuple(seconds / self.steps for seconds in self.round_seconds)

    @property
    def step_seconds(self) -> float:
        """Median over the rounds."""
        return statistics.median(self.step_samples)

    @property
    def p95_step_seconds(self) -> float | None:
        """What 95 % of single steps take at most; None where single steps were not timed."""
        if not self.call_seconds:
            return None
        return float(np.percentile(self.call_seconds, 95)) / self.steps_per_call

    @property
    def examples_per_second(self) -> float:
        """Of the median round."""
        return self.examples / statistics.median(self.round_seconds)

    @property
    def flops_per_second(self) -> float | None:
        """Operations of matrix products a second, in the median round."""
        if not self.flops_per_step:
            return None
        return self.flops_per_step / self.step_seconds

    def peak_share(self, peaks: Peaks) -> float | None:
        """Share of the machine's measured matrix product that a step reaches."""
        achieved = self.flops_per_second
        return None if achieved is None else achieved / peaks.flops_per_second

    def roofline_share(self, peaks: Peaks) -> float | None:
        """Share of the speed that the roofline allows.

        A step takes at least as long as its products at the measured peak, and as reading and
        writing its weights and optimizer variables once each at the measured bandwidth. Batches and
        activations are left out, so that the bound is a true one.

        References:
            Williams, Waterman & Patterson, "Roofline", CACM 52 (2009): the larger of both times.
        """
        if not self.flops_per_step:
            return None
        moving = 2 * self.state_bytes / peaks.bytes_per_second
        return max(self.flops_per_step / peaks.flops_per_second, moving) / self.step_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """What came out of one scenario.

    Attributes:
        id: Area and name of the scenario.
        title: Its title.
        measured: The pipeline of the file.
        against: The other side, measured in turns with it; None where the file names none.
        changes: What makes the other side, by dotted key.
        speed_up: Examples a second of the pipeline over those of the other side, with interval;
            None without other side.
        peaks: What the machine does at best, in the compute dtype of the pipeline.
        device: What was computed on.
        environment: Versions, machine and settings.
    """

    id: str
    title: str
    measured: Measurement
    peaks: Peaks
    device: Device
    environment: Environment
    against: Measurement | None = None
    changes: Mapping[str, object] = field(default_factory=dict)
    speed_up: RatioEstimate | None = None

    @property
    def finite(self) -> bool:
        """Whether both sides still trained on numbers; NaN is computed at another speed."""
        sides = [self.measured] if self.against is None else [self.measured, self.against]
        return all(side.loss is None or math.isfinite(side.loss) for side in sides)
