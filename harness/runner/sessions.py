"""Keeps compiled pipelines for the next run that differs in values only.

Building, compiling and tracing a small model costs four tenths of a second, training it a few
milliseconds. What is part of the compiled step is the structure; everything else is a value.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import astuple, dataclass, field
from typing import TYPE_CHECKING, Any

from harness.pipeline.custom_gradients import CustomGradients
from harness.pipeline.numerics import names_from_zero, seed_everything
from harness.pipeline.optimizer import is_prebuilt
from harness.pipeline.pipeline import TrainingPipeline
from harness.recorders.run_recorder import RunRecorder
from harness.recorders.steps import StepRecorder
from harness.recorders.streaming import Stream
from harness.spec.base import ImportSpec, Spec
from harness.spec.training import ApplyGradientsSpec, FitSpec, WhileLoopSpec

if TYPE_CHECKING:
    from collections.abc import Hashable

    from harness.pipeline.data import Examples
    from harness.spec.pipeline import PipelineSpec
    from harness.trace.journal import JournalWriter
    from harness.trace.recording import Recording

__all__ = ["SESSIONS_KEPT", "Session", "Sessions", "has_import", "structure"]

SESSIONS_KEPT = 8
"""Compiled pipelines of one process; each holds some megabytes."""

_REUSABLE_LOOPS = {"fit", "train_on_batch", "gradient_tape", "apply_gradients"}
_SMALLEST_CAPACITY = 64


@dataclass(frozen=True, slots=True)
class Session:
    """A compiled pipeline, the recorder that is compiled into it, and the gradients of both."""

    pipeline: TrainingPipeline
    recorder: RunRecorder
    gradients: CustomGradients = field(default_factory=CustomGradients)


class Sessions:
    """The most recently used compiled pipelines, each under its structure."""

    def __init__(self, limit: int = SESSIONS_KEPT) -> None:
        """Keep at most `limit` of them."""
        self._limit = limit
        self._kept: OrderedDict[Hashable, Session] = OrderedDict()

    def clear(self) -> None:
        """Forget all of them."""
        for session in self._kept.values():
            session.gradients.forget()
        self._kept.clear()

    def acquire(
        self,
        spec: PipelineSpec,
        examples: Examples | None,
        recording: Recording,
        *,
        steps: int,
        reuse: bool,
        journal: JournalWriter | None = None,
    ) -> Session:
        """A pipeline for `spec`, reset if it was used before; to be released after the run.

        Args:
            spec: What to run.
            examples: The training data.
            recording: What to keep.
            steps: Most steps that the run can have.
            reuse: Whether a pipeline of an earlier run will do.
            journal: Gets what happens while it happens; such a pipeline is not kept.
        """
        capacity = max(_SMALLEST_CAPACITY, 1 << (steps - 1).bit_length())
        key = (structure(spec, examples), astuple(recording), capacity)
        if not reuse or key[0] is None or journal is not None:
            return _build(spec, examples, recording, capacity, journal)
        session = self._kept.pop(key, None)
        if session is None:
            session = _build(spec, examples, recording, capacity)
        else:
            session.gradients.watch()
        self._kept[key] = session
        if len(self._kept) > self._limit:
            self._kept.popitem(last=False)[1].gradients.forget()
        return session

    def release(self, session: Session, spec: PipelineSpec) -> None:
        """Let go of what a run leaves in this process, at once where its session is not kept.

        The user's own code may have functions whose graphs outlive the run that traced them.
        """
        session.gradients.note()
        kept = any(other is session for other in self._kept.values())
        if not kept and not has_import(spec):
            session.gradients.forget()

    def discard(self, session: Session) -> None:
        """Don't use a session again: an exception left it in a state that nobody knows."""
        for key, kept in list(self._kept.items()):
            if kept is session:
                del self._kept[key]


def structure(spec: PipelineSpec, examples: Examples | None) -> str | None:
    """What two pipelines must share to be one compiled pipeline; None if it can't be shared.

    The user's own code may keep state that nobody can reset, so it is always built afresh; and an
    optimizer that its first step builds cannot be made unbuilt again.
    """
    if spec.training.kind not in _REUSABLE_LOOPS or has_import(spec) or _is_replaced(spec):
        return None
    if not is_prebuilt(spec.optimizer):
        return None
    values = {"callbacks", "validation", "then", "after", "training"}
    tables: dict[str, Any] = spec.model_dump(by_alias=True, exclude=values)
    if not isinstance(tables["optimizer"].get("learning_rate"), dict):
        tables["optimizer"].pop("learning_rate", None)
    tables["model"].pop("initial", None)
    # Of the loop only what it runs matters; epochs, budgets and gradients are values.
    loop = spec.training
    tables["training"] = [loop.kind, getattr(loop, "compiled", None)]
    tables["training"] += [getattr(loop, key, None) for key in ("sparse", "repeated_ids")]
    # Of these only whether there are any: sets of missing gradients are traces of one function.
    tables["training"] += [
        bool(getattr(loop, key, None)) for key in ("missing", "save_and_load_after")
    ]
    tables["data"] = _shapes(spec, examples)
    return json.dumps(tables, sort_keys=True)


def _is_replaced(spec: PipelineSpec) -> bool:
    """Whether the run ends with another model than it began with."""
    training = spec.training
    if not isinstance(training, FitSpec) or training.save_and_load_after is None:
        return False
    return training.saved_as != "nothing"


def _shapes(spec: PipelineSpec, examples: Examples | None) -> dict[str, Any]:
    if examples is None:
        return {}
    arrays = [examples.inputs, examples.targets, examples.sample_weight]
    return {
        "batch_size": spec.data.batch_size,
        "source": spec.data.source,
        "heads": examples.heads,
        "arrays": [
            None if array is None else [list(array.shape[1:]), str(array.dtype)] for array in arrays
        ],
    }


def has_import(value: Any) -> bool:
    """Whether any part of a spec is the user's own code."""
    if isinstance(value, ImportSpec):
        return True
    if isinstance(value, Spec):
        # Past pydantic's iterator, which costs more than all the rest.
        parts = tuple(part for part in vars(value).values() if isinstance(part, Spec | tuple))
        return any(has_import(part) for part in parts)
    # What stands in a tuple is all of one kind; of thousands of gradients the first one tells.
    tables = isinstance(value, tuple) and bool(value) and isinstance(value[0], Spec)
    return tables and any(has_import(part) for part in value)


def _build(
    spec: PipelineSpec,
    examples: Examples | None,
    recording: Recording,
    capacity: int,
    journal: JournalWriter | None = None,
) -> Session:
    gradients = CustomGradients()
    gradients.watch()
    seed_everything(spec.seed)
    batch = spec.data.batch_size if examples is not None else 0
    stream = None
    if journal is not None:
        in_graph = isinstance(spec.training, WhileLoopSpec | ApplyGradientsSpec)
        stream = Stream(journal, in_graph=in_graph)
    recorder = RunRecorder(
        recording=recording,
        steps=StepRecorder(recording, capacity=capacity, batch_size=batch, stream=stream),
        stream=stream,
    )
    with names_from_zero():
        return Session(TrainingPipeline(spec, examples, recorder), recorder, gradients)
