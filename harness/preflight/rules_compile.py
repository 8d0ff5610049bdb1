"""Compile options that do something else than they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.preflight.registry import Discovery, rule

if TYPE_CHECKING:
    from harness.preflight.plan import Plan
    from harness.preflight.registry import Found


@rule("warn")
def execution_overruns_epoch(plan: Plan) -> Found:
    """`steps_per_execution` does not divide `steps_per_epoch`, and Keras rounds up."""
    bundle, size = plan.compile.steps_per_execution, plan.steps_per_epoch
    if size is None or bundle <= 1 or size % bundle == 0:
        return
    batches = plan.source.batches
    if batches is not None and not plan.source.infinite and batches <= size:
        return  # The data end the epoch, not the count.
    yield Discovery(
        "compile: steps_per_execution",
        f"{bundle} steps run at a time and {size} are asked for an epoch: each epoch draws "
        f"{-(-size // bundle) * bundle} batches",
        "Make `steps_per_epoch` a multiple of it.",
    )


@rule("warn")
def jit_compile_ignored(plan: Plan) -> Found:
    """XLA is asked for and can't be had."""
    options = plan.compile
    if not options.jit_compile:
        return
    if options.run_eagerly:
        yield Discovery(
            "compile: jit_compile",
            "with `run_eagerly=True` there is no graph for XLA to compile, and Keras switches it "
            "off",
            "Keep one of the two.",
        )
    elif options.not_jittable:
        yield Discovery(
            "compile: jit_compile",
            f"XLA can't compile {', '.join(options.not_jittable)}, and Keras switches it off for "
            "the whole model",
            "Move such layers into the data pipeline, or leave `jit_compile` at 'auto'.",
        )
