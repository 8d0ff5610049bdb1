"""Fits in several parts: one that nobody records before the one that is, and one in two calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from harness.pipeline.callbacks import build_callbacks
from harness.pipeline.inputs import build_inputs
from harness.pipeline.loops import LoopEnd, train
from harness.pipeline.numerics import names_from_zero, seed_everything, seed_python
from harness.pipeline.optimizer import is_prebuilt
from harness.pipeline.own_callbacks import Interruption, interrupter
from harness.runner.afterwards import run_after
from harness.runner.sessions import has_import
from harness.spec.callbacks import MonitorSpec
from harness.spec.training import FitSpec

if TYPE_CHECKING:
    from pathlib import Path

    from harness.pipeline.inputs import Inputs
    from harness.recorders.resources import PeakMemory
    from harness.runner.sessions import Session
    from harness.spec.pipeline import PipelineSpec
    from harness.spec.refit import EarlierFitSpec

__all__ = ["Callbacks", "fit_earlier", "make_callbacks", "parts", "seed", "train_in_parts"]


class Callbacks(NamedTuple):
    """The callbacks of one fit.

    Attributes:
        own: One for each callback of the specification.
        scripts: The scripted monitors, which come before all of them.
        folder: Where they write.
    """

    own: list[Any]
    scripts: list[Any]
    folder: Path


def make_callbacks(spec: PipelineSpec, folder: Path) -> Callbacks:
    """New callbacks, which write into `folder`."""
    return Callbacks(*build_callbacks(spec.callbacks, folder), folder)


def seed(spec: PipelineSpec) -> None:
    """Start a kept pipeline like a fresh one."""
    array = spec.data.source in ("array", "tensor")
    shuffles = array if spec.data.shuffle is None else spec.data.shuffle
    # Arrays in loops that are not Keras' have a generator of their own.
    draws = shuffles and (not array or isinstance(spec.training, FitSpec))
    if draws or has_import(spec):
        seed_everything(spec.seed)
    else:
        seed_python(spec.seed)


def parts(spec: PipelineSpec) -> tuple[PipelineSpec, ...]:
    """The fits that are run, the recorded one last."""
    training = spec.training
    if not isinstance(training, FitSpec):
        return (spec,)
    earlier = training.earlier_fit
    whole = spec.model_copy(update={"training": training.model_copy(update={"earlier_fit": None})})
    return (whole,) if earlier is None or not earlier.epochs else (_earlier(spec, earlier), whole)


def _earlier(spec: PipelineSpec, earlier: EarlierFitSpec) -> PipelineSpec:
    changes = {
        "epochs": earlier.epochs,
        "initial_epoch": 0,
        "earlier_fit": None,
        "interrupt_after": earlier.interrupt_after,
    }
    callbacks = tuple(
        callback.model_copy(update={"script": earlier.script})
        if isinstance(callback, MonitorSpec) and callback.scripted and earlier.script
        else callback
        for callback in spec.callbacks
    )
    training = spec.training.model_copy(update=changes)
    data = spec.data
    if earlier.data_seed is not None:
        data = data.model_copy(update={"seed": earlier.data_seed})
    return spec.model_copy(
        update={"training": training, "data": data, "callbacks": callbacks, "then": earlier.then}
    )


def fit_earlier(
    session: Session, spec: PipelineSpec, made: Callbacks, memory: PeakMemory, folder: Path
) -> None:
    """Run the fit that comes before the recorded one, and leave the model as it says.

    Args:
        session: Built and reset.
        spec: The pipeline of the recorded fit.
        made: The callbacks of the recorded fit.
        memory: Not looked at.
        folder: Where callbacks write.
    """
    training = spec.training
    earlier = training.earlier_fit if isinstance(training, FitSpec) else None
    if earlier is None or not earlier.epochs:
        return
    first = _earlier(spec, earlier)
    new = make_callbacks(first, folder)
    callbacks = Callbacks(made.own if earlier.same_callbacks else new.own, new.scripts, folder)
    inputs = build_inputs(first)
    session.recorder.begin(inputs, memory, folder)
    seed(first)
    train_in_parts(session, first, inputs, callbacks, watched=False, carried_on=earlier.carried_on)
    run_after(session, first, inputs, callbacks.own)
    session.recorder.release()
    if earlier.reset:
        session.pipeline.reset_values(spec)


def train_in_parts(
    session: Session,
    spec: PipelineSpec,
    inputs: Inputs,
    callbacks: Callbacks,
    *,
    watched: bool = True,
    carried_on: bool = True,
) -> LoopEnd:
    """Train; where the fit is to be broken off, break it off and call it again if `carried_on`."""
    pipeline, recorder = session.pipeline, session.recorder

    def order(given: Callbacks) -> list[Any]:
        own = recorder.watch_callbacks(given.own) if watched else given.own
        return [*given.scripts, *own]

    interrupt = spec.training.interrupt_after if isinstance(spec.training, FitSpec) else None
    if interrupt is None:
        return train(pipeline, spec, inputs, order(callbacks), recorder)
    try:
        return train(pipeline, spec, inputs, [*order(callbacks), interrupter(interrupt)], recorder)
    except Interruption:
        recorder.rewind()
    if not carried_on:
        return LoopEnd()
    if not interrupt.same_model:
        if is_prebuilt(spec.optimizer):
            pipeline.reset(spec)
        else:
            # What its first step has built cannot be unbuilt; a new process has another one.
            seed_everything(spec.seed)
            with names_from_zero():
                pipeline.build_again(spec)
        seed(spec)
    if interrupt.restart_at is not None:
        changes = {"initial_epoch": interrupt.restart_at}
        spec = spec.model_copy(update={"training": spec.training.model_copy(update=changes)})
    return train(pipeline, spec, inputs, order(make_callbacks(spec, callbacks.folder)), recorder)
