"""Learning rates with two masters or the wrong length, clippings and scales without effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.preflight.counting import epoch_size, evaluations, total_steps
from harness.preflight.registry import Discovery, rule

if TYPE_CHECKING:
    from harness.preflight.plan import CallbackPlan, Plan
    from harness.preflight.registry import Found

_SETTERS: Final = ("ReduceLROnPlateau", "LearningRateScheduler")
_HALF: Final = ("float16", "mixed_float16")


@rule("refuse")
def rate_has_two_masters(plan: Plan) -> Found:
    """A callback is to set a learning rate that a schedule computes."""
    rate = plan.optimizer.rate
    if rate.kind == "number":
        return
    master = rate.name or "a function"
    for callback in plan.callbacks:
        setter = next((name for name in _SETTERS if name in callback.kinds), None)
        if setter is not None and _may_set(plan, callback):
            first = "first plateau" if setter == "ReduceLROnPlateau" else "first epoch"
            yield Discovery(
                callback.where(),
                f"the learning rate comes from {master} and can't be set: the {first} raises an "
                "error, and the training is lost",
                "Keep the schedule or the callback.",
            )


@rule("refuse")
def rate_asks_for_arguments(plan: Plan) -> Found:
    """A function with arguments stands as learning rate."""
    rate = plan.optimizer.rate
    if rate.kind == "callable" and rate.arguments:
        yield Discovery(
            "optimizer: learning_rate",
            f"it is a function of {rate.arguments} argument{'s' if rate.arguments > 1 else ''}, "
            "and Keras calls it without any: the first step raises a TypeError",
            "A function of the epoch belongs into `keras.callbacks.LearningRateScheduler`, one of "
            "the step into a `LearningRateSchedule`.",
        )


@rule("refuse")
def two_clippings(plan: Plan) -> Found:
    """More than one kind of clipping is set."""
    names = plan.optimizer.clippings
    if len(names) > 1:
        yield Discovery(
            f"optimizer: {names[1]}",
            f"{' and '.join(names)} are set, and Keras clips in one way only",
            "Keep one of them.",
        )


@rule("warn")
def loss_scale_without_float16(plan: Plan) -> Found:
    """The loss is scaled where no gradient can underflow."""
    policy, scale = plan.compile.policy, plan.optimizer.loss_scale
    if policy is None or scale is None or policy in _HALF:
        return
    where = "LossScaleOptimizer" if scale == "dynamic" else "optimizer: loss_scale_factor"
    yield Discovery(
        where,
        f"the loss is scaled under the policy {policy}, whose range needs none; a step whose "
        "scaled gradients overflow is lost",
        "Scale the loss under mixed_float16 only.",
    )


@rule("warn")
def float16_without_loss_scale(plan: Plan) -> Found:
    """Gradients of 16 bits are not scaled."""
    policy = plan.compile.policy
    if policy in _HALF and plan.optimizer.loss_scale is None:
        yield Discovery(
            "compile: auto_scale_loss",
            f"under {policy} gradients below 6e-8 become 0, and nothing scales the loss",
            "Use the policy mixed_float16 with `auto_scale_loss=True`, or wrap the optimizer in a "
            "LossScaleOptimizer.",
        )


@rule("warn")
def schedule_ends_early(plan: Plan) -> Found:
    """A schedule is over before the training is."""
    rate, total = plan.optimizer.rate, total_steps(plan)
    if rate.length is None or total is None or plan.optimizer.steps_done is None:
        return
    rest = plan.optimizer.steps_done + total - rate.length
    reason = _miscounted(plan, rate.length)
    if rest <= 0 or (rate.end != 0 and reason is None):
        return
    then = "0" if rate.end == 0 else f"{rate.end:.3g}" if rate.end is not None else "its last value"
    yield Discovery(
        f"optimizer: {rate.name}",
        f"the schedule is over after {rate.length} steps, the training takes {total}: the last "
        f"{min(rest, total)} run at a rate of {then}{reason or ''}",
        f"Give it {plan.optimizer.steps_done + total} steps.",
    )


@rule("warn")
def schedule_outlives_training(plan: Plan) -> Found:
    """A schedule counts examples where Keras counts steps."""
    rate, examples = plan.optimizer.rate, plan.source.examples
    total = total_steps(plan)
    if rate.length is None or examples is None or total is None or plan.steps_per_epoch is not None:
        return
    epochs = plan.epochs - plan.initial_epoch
    if rate.length == examples * epochs > total:
        yield Discovery(
            f"optimizer: {rate.name}",
            f"the schedule takes {rate.length} steps, which is {examples} examples x {epochs} "
            f"epochs; the training takes {total}, and ends when the schedule has hardly begun",
            f"Give it {total} steps, one a batch.",
        )


@rule("warn")
def warmup_outlives_training(plan: Plan) -> Found:
    """The warm-up is not over when the training is."""
    rate, total = plan.optimizer.rate, total_steps(plan)
    if not rate.warmup or total is None or plan.optimizer.steps_done is None:
        return
    # One epoch at a time is how people write loops of their own around fit.
    if plan.epochs - plan.initial_epoch <= 1 or plan.optimizer.steps_done + total > rate.warmup:
        return
    yield Discovery(
        f"optimizer: {rate.name}",
        f"the warm-up takes {rate.warmup} steps, the whole training {total}: its rate is never "
        "reached",
        "Shorten the warm-up.",
    )


@rule("refuse")
def accumulation_never_complete(plan: Plan) -> Found:
    """The training is over before the first update."""
    total, micro = total_steps(plan), plan.optimizer.accumulation
    if total is not None and plan.optimizer.steps_done == 0 and 0 < total < micro:
        yield Discovery(
            "optimizer: gradient_accumulation_steps",
            f"the training has {total} steps, an update takes {micro}: no weight is ever changed",
            "Accumulate over fewer steps, or train longer.",
        )


@rule("warn")
def accumulation_left_over(plan: Plan) -> Found:
    """The last gradients of the training reach no update."""
    total, micro = total_steps(plan), plan.optimizer.accumulation
    if total is None or plan.optimizer.steps_done is None or total < micro:
        return
    rest = (plan.optimizer.steps_done + total) % micro
    if rest:
        yield Discovery(
            "optimizer: gradient_accumulation_steps",
            f"{total} steps are no multiple of {micro}: the gradients of the last "
            f"{rest if rest > 1 else 'one'} are thrown away",
            "Choose a number that divides the steps of the training.",
        )


def _may_set(plan: Plan, callback: CallbackPlan) -> bool:
    """Whether there are enough epochs for a callback to set the rate."""
    monitor, patience = callback.arguments.get("monitor"), callback.arguments.get("patience")
    if not isinstance(monitor, str) or not isinstance(patience, int):
        return True
    return evaluations(plan, monitor) > patience


def _miscounted(plan: Plan, length: int) -> str | None:
    """What a schedule of the wrong length seems to have counted."""
    size, epochs = epoch_size(plan), plan.epochs - plan.initial_epoch
    if size is None or epochs < 1:
        return None
    if length == epochs and size > 1:
        return "; it counts epochs, Keras counts steps"
    micro = plan.optimizer.accumulation
    if micro > 1 and length in (size * epochs // micro, -(-size * epochs // micro)):
        return f"; it counts updates, Keras counts each of the {micro} micro-batches"
    full = _full_batches(plan)
    if full is not None and full < size and length == full * epochs:
        return f"; it leaves out the last, partial batch of each of {epochs} epochs"
    return None


def _full_batches(plan: Plan) -> int | None:
    examples, size = plan.source.examples, plan.source.batch_size
    if examples is None or size is None or plan.steps_per_epoch is not None:
        return None
    return examples // size
