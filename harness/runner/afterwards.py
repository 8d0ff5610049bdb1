"""Evaluates and predicts once the loop has ended, and notes what that changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.pipeline.inputs import build_after
from harness.spec.callbacks import SwapEMAWeightsSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.pipeline.inputs import Inputs
    from harness.pipeline.pipeline import TrainingPipeline
    from harness.runner.sessions import Session
    from harness.spec.pipeline import After, PipelineSpec

__all__ = ["run_after"]


def run_after(
    session: Session, spec: PipelineSpec, inputs: Inputs, callbacks: list[Any]
) -> tuple[dict[str, float] | None, NDArray[np.float64] | None]:
    """What ``evaluate`` and ``predict`` return, each None where it was not asked for.

    Args:
        session: Trained, and recording.
        spec: Says what is run and how the data reach it.
        inputs: Where the examples are.
        callbacks: Those of the training.
    """
    found: dict[str, Any] = {}
    for name in ("evaluate", "predict"):
        if name in spec.then:
            found[name] = _run(session, spec, inputs, callbacks, name)
    return found.get("evaluate"), found.get("predict")


def _run(
    session: Session, spec: PipelineSpec, inputs: Inputs, callbacks: list[Any], name: After
) -> Any:
    pipeline, recorder = session.pipeline, session.recorder
    if inputs.examples is None:
        message = "there must be examples to evaluate or predict"
        raise TypeError(message)
    source = build_after(spec, inputs.examples)
    recorder.listen(name, source)
    chosen = [*recorder.watch_hooks(), *_chosen(spec, callbacks)]
    before = _values(pipeline)
    method = pipeline.evaluate if name == "evaluate" else pipeline.predict
    result = method(spec, source, chosen)
    pairs = zip(pipeline.variables, before, _values(pipeline), strict=True)
    changed = [variable.path for variable, old, new in pairs if old != new]
    recorder.note("after", name, changed=", ".join(changed))
    return result


def _chosen(spec: PipelineSpec, callbacks: list[Any]) -> list[Any]:
    """The callbacks that see what follows the loop: all, or those that ask for it themselves."""
    return [
        callback
        for callback, part in zip(callbacks, spec.callbacks, strict=True)
        if spec.after.callbacks or (isinstance(part, SwapEMAWeightsSpec) and part.in_then)
    ]


def _values(pipeline: TrainingPipeline) -> list[bytes]:
    """The bits of every variable."""
    return [np.asarray(variable.numpy()).tobytes() for variable in pipeline.variables]
