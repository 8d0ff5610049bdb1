"""What was seen of a script, as frozen data: fits, loops, steps, and how it all ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.preflight.finding import Finding as PlanFinding
    from harness.trace.stop import Stop

__all__ = ["EpochSeen", "FitSeen", "LoopSeen", "ScriptSeen", "StepsSeen"]

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StepsSeen:
    """Steps that were recorded, as columns of length n.

    Attributes:
        first: Steps that were done before the first of these and are not recorded.
        epoch: Epoch of each; 0 throughout in a loop of the user's own.
        batch: Index within its epoch.
        loss: NaN where nobody saw it.
        learning_rate: Rate of the update.
        loss_scale: Factor on the loss, 1 without scaling.
        batch_size: Examples; NaN where nobody knows.
        move: How far the update moved a fixed sample of the weights.
        gradients: Norm of the unscaled gradient of each variable, shape (n, variables).
        paths: Paths of those variables.
    """

    first: int
    epoch: Int64
    batch: Int64
    loss: Float64
    learning_rate: Float64
    loss_scale: Float64
    batch_size: Float64
    move: Float64
    gradients: Float64
    paths: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of steps."""
        return int(self.loss.shape[0])

    @property
    def gradient_norm(self) -> Float64:
        """Norm over all variables."""
        norm: Float64 = np.sqrt(np.sum(np.square(self.gradients), axis=1))
        return norm


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochSeen:
    """One epoch of a fit that came to its end.

    Attributes:
        epoch: Its number, from 0.
        batches: Batches that callbacks were told of, times the steps of an execution.
        steps: Steps that were recorded in it; None where none could be.
        logs: What callbacks were handed.
        drawn: Batches that the generator had given by then.
        rss: Resident memory in bytes.
        ended: Whether the callbacks came to an end too.
    """

    epoch: int
    batches: int
    steps: int | None
    logs: Mapping[str, float]
    drawn: int | None
    rss: int
    ended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FitSeen:
    """One call of ``fit``.

    Attributes:
        number: Which one, from 0.
        place: ``file:line`` of the call.
        model: Class of the model.
        epochs: As asked for; the number of the epoch that is not run any more.
        initial_epoch: As asked for.
        steps_per_epoch: As asked for.
        steps_per_execution: As compiled.
        class_weight: As asked for, keys as text.
        run_eagerly: As compiled.
        source: What the batches come from: ``kind``, ``built``, ``batches``, ``place`` ...
        validation: The same of the validation data.
        optimizer: ``name``, ``schedule``, ``scaled``, ``weight_decay`` ...
        callbacks: ``name``, ``place``, ``keras`` of each.
        counted: Steps of one epoch as Keras counted them; None where it could not.
        begun: Epochs that began.
        done: Epochs that ended, in order.
        validated: What each validation read: ``epoch``, ``examples``, ``fingerprint``.
        steps: Recorded steps; None where there are none.
        updates: How far the optimizer's own count went up; None where the fit did not end.
        traces: How often the train step was traced.
        drawn: Batches that the generator gave in all.
        source_ended: Whether it ended.
        validation_drawn: Batches that the validation's generator gave.
        validation_ended: Whether it ended.
        request: Who set ``stop_training``: ``callback``, ``hook``, ``location`` ...
        error: What ended it from inside: ``type``, ``message``, ``location`` ...
        ended: Whether it returned or raised; a fit that died did neither.
        seconds: How long it took; None where it died.
        wrong_weights: Variables that are not finite afterwards.
        wrong_data: Arrays that are not finite.
        replicated: Whether it ran on several replicas, which are not recorded.
        planned: What the preflight found.
    """

    number: int
    place: str | None = None
    model: str = "Model"
    epochs: int = 1
    initial_epoch: int = 0
    steps_per_epoch: int | None = None
    steps_per_execution: int = 1
    class_weight: Mapping[str, float] | None = None
    run_eagerly: bool = False
    source: Mapping[str, Any] = field(default_factory=dict)
    validation: Mapping[str, Any] | None = None
    optimizer: Mapping[str, Any] = field(default_factory=dict)
    callbacks: tuple[Mapping[str, Any], ...] = ()
    counted: int | None = None
    begun: int = 0
    done: tuple[EpochSeen, ...] = ()
    validated: tuple[Mapping[str, Any], ...] = ()
    steps: StepsSeen | None = None
    updates: int | None = None
    traces: int = 0
    drawn: int | None = None
    source_ended: bool = False
    validation_drawn: int | None = None
    validation_ended: bool = False
    request: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None
    ended: bool = False
    seconds: float | None = None
    wrong_weights: tuple[str, ...] = ()
    wrong_data: tuple[str, ...] = ()
    replicated: bool = False
    planned: tuple[PlanFinding, ...] = ()

    @property
    def planned_epochs(self) -> int:
        """How many epochs were asked for."""
        return max(self.epochs - self.initial_epoch, 0)

    @property
    def planned_batches(self) -> int | None:
        """Steps of one epoch as asked for, or as the source has them."""
        if self.steps_per_epoch:
            return self.steps_per_epoch
        if self.counted is not None:
            return self.counted
        batches: int | None = self.source.get("batches")
        return batches if batches is not None and batches >= 0 else None

    @property
    def planned_steps(self) -> int | None:
        """Steps of all epochs."""
        size = self.planned_batches
        return None if size is None else size * self.planned_epochs

    @property
    def done_steps(self) -> int:
        """Steps that were done, as far as anybody knows."""
        if self.steps is not None:
            return self.steps.first + len(self.steps)
        return sum(epoch.batches for epoch in self.done)

    @property
    def where(self) -> str:
        """The call, for a message."""
        return "fit" if self.place is None else f"fit at {self.place}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopSeen:
    """Steps of one optimizer outside of any ``fit``.

    Attributes:
        kind: ``train_on_batch``, or ``loop`` for one of the user's own.
        place: ``file:line`` of the first update.
        optimizer: Its class.
        steps: What was recorded.
        traces: How often the update was traced.
        rss: Resident memory in bytes, after how many steps: pairs.
    """

    kind: str
    place: str | None
    optimizer: str
    steps: StepsSeen
    traces: int = 0
    rss: tuple[tuple[int, int], ...] = ()

    @property
    def where(self) -> str:
        """The loop, for a message."""
        name = "train_on_batch" if self.kind == "train_on_batch" else "training loop"
        return name if self.place is None else f"{name} at {self.place}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptSeen:
    """A script from its start to its end.

    Attributes:
        command: What was run.
        environment: Versions of ``keras``, ``backend`` and ``python``; empty without Keras.
        fits: In order of time.
        loops: In the order of their first update.
        error: The exception that ended the script.
        exit: Who ended the process: ``call``, ``status``, ``location``.
        status: Its exit status; below 0 minus the signal.
        death: Why it ended before its end; None where it came to one.
        notes: Other records of the journal that rules look at.
        seconds: How long it ran.
        peak_bytes: Most resident memory of it and what it started.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    fits: tuple[FitSeen, ...] = ()
    loops: tuple[LoopSeen, ...] = ()
    error: Mapping[str, Any] | None = None
    exit: Mapping[str, Any] | None = None
    status: int | None = 0
    death: Stop | None = None
    notes: tuple[Mapping[str, Any], ...] = ()
    seconds: float = 0.0
    peak_bytes: int = 0

    @property
    def trained(self) -> bool:
        """Whether anything was trained or was about to be."""
        return bool(self.fits or self.loops)
