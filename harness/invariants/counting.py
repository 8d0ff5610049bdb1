"""Steps, batches and counts: how many there are, and that everybody agrees on it."""

from harness.invariants.base import NothingToJudge, Reason, View, Violation, invariant
from harness.invariants.planning import (
    epochs_run,
    first_difference,
    plan_of,
    rows_of,
    step_budget,
)
from harness.invariants.readings import (
    CUT_SHORT,
    accumulation_steps,
    raw_counts,
    skipped_steps,
)
from harness.oracles.counting import EpochPlan, RunPlan
from harness.trace.recording import Recording
from harness.trace.stop import StopReason


@invariant(
    "iterations_count_steps",
    records=Recording.of("state", "gradients"),
    source="000, global_step; Keras, Optimizer.iterations",
)
def iterations_count_steps(view: View, reason: Reason) -> tuple[Violation, ...]:
    """The optimizer's count rises by one with every step it takes, and by nothing else.

    A step that loss scaling skips does not count. With accumulation the public count rises once a
    window, while the raw counter rises with every micro-batch.
    """
    initial, before, after, final = raw_counts(view)
    skipped = skipped_steps(view)
    count = initial
    for step in range(len(before)):
        if before[step] != count:
            return (_moved(view, reason, step, int(before[step]), count),)
        count += 0 if skipped[step] else 1
        if after[step] != count:
            what = "was skipped" if skipped[step] else "was taken"
            message = f"step {step} {what}, and the count went from {before[step]} to {after[step]}"
            return (
                view.violation(
                    reason,
                    message,
                    got=int(after[step]),
                    expected=count,
                    step=step,
                    where="iterations",
                ),
            )
    if final != count:
        return (_moved(view, reason, None, final, count),)
    return _public_counts(view, reason)


def _moved(view: View, reason: Reason, step: int | None, got: int, expected: int) -> Violation:
    when = "after the last step" if step is None else f"before step {step}"
    return view.violation(
        reason,
        f"the count moved from {expected} to {got} without a step, {when}",
        got=got,
        expected=expected,
        step=step,
        where="iterations",
    )


def _public_counts(view: View, reason: Reason) -> tuple[Violation, ...]:
    _, before, after, _ = raw_counts(view)
    length = accumulation_steps(view)
    columns = (
        ("iterations_before", view.trace.steps.iterations_before, before // length),
        ("iterations_after", view.trace.steps.iterations_after, after // length),
    )
    for name, got, expected in columns:
        step = None if got is None else first_difference(got.tolist(), expected.tolist())
        if got is not None and step is not None:
            message = f"{name} of step {step} is not the raw counter divided by {length}"
            return (
                view.violation(
                    reason,
                    message,
                    got=int(got[step]),
                    expected=int(expected[step]),
                    step=step,
                    where=name,
                ),
            )
    return ()


@invariant(
    "counts_agree",
    records=Recording.of("hooks"),
    source="000, the counter is passive; 003, premature end",
)
def counts_agree(view: View, reason: Reason) -> tuple[Violation, ...]:
    """Batches drawn, batches trained, batch-end calls, batch indices and counts tell one story."""
    for epoch in epochs_run(view):
        found = _epoch_counts(view, reason, epoch)
        if found is not None:
            return (found,)
    found = _counted_updates(view, reason) or _leftover(view, reason)
    return () if found is None else (found,)


def _epoch_counts(view: View, reason: Reason, epoch: int) -> Violation | None:
    rows = rows_of(view, epoch)
    batches = view.trace.steps.batch[rows.start : rows.stop].tolist()
    step = first_difference(batches, range(len(rows)))
    if step is not None:
        message = f"step {rows[step]} is number {step} of epoch {epoch}, its batch index is not"
        return view.violation(
            reason, message, got=batches[step], expected=step, step=rows[step], where="batch"
        )
    record = next((item for item in view.trace.epochs if item.epoch == epoch), None)
    if record is not None and record.steps != len(rows):
        message = f"epoch {epoch} reports {record.steps} steps, {len(rows)} were run"
        return view.violation(
            reason, message, got=record.steps, expected=len(rows), epoch=epoch, where="steps"
        )
    return _hook_counts(view, reason, epoch, len(rows))


def _hook_counts(view: View, reason: Reason, epoch: int, steps: int) -> Violation | None:
    hooks = [event for event in view.trace.events if event.kind == "hook"]
    if not hooks or (view.trace.stop.reason in CUT_SHORT and epoch == epochs_run(view)[-1]):
        return None
    ends = [hook for hook in hooks if hook.name == "on_train_batch_end" and hook.epoch == epoch]
    executions = -(-steps // view.pipeline.compile.steps_per_execution)
    if len(ends) != executions:
        message = f"epoch {epoch} has {len(ends)} calls of on_train_batch_end for {steps} steps"
        return view.violation(
            reason,
            message,
            got=len(ends),
            expected=executions,
            epoch=epoch,
            where="on_train_batch_end",
        )
    if steps % view.pipeline.compile.steps_per_execution or not ends:
        return None
    last = ends[-1].detail.get("batch")
    if last != steps - 1:
        message = f"the last batch index of epoch {epoch} is {last} after {steps} steps"
        return view.violation(
            reason, message, got=last, expected=steps - 1, epoch=epoch, where="on_train_batch_end"
        )
    return None


def _counted_updates(view: View, reason: Reason) -> Violation | None:
    steps = view.trace.steps
    if steps.updated is None or steps.iterations_before is None or steps.iterations_after is None:
        return None
    for step in range(len(steps)):
        counted = int(steps.iterations_after[step] - steps.iterations_before[step])
        if steps.updated[step] == 1 and counted != 1:
            message = f"step {step} changed the weights, and the count rose by {counted}"
            return view.violation(
                reason, message, got=counted, expected=1, step=step, where="iterations"
            )
    return None


def _leftover(view: View, reason: Reason) -> Violation | None:
    """Return what was drawn and never trained on, where whole passes were asked for.

    A PyDataset is asked for two batches before training, to learn their form, so that nothing can
    be said of it; nor of a run that ends in the middle of a pass.
    """
    trace, data = view.trace, view.pipeline.data
    whole = getattr(view.pipeline.training, "steps_per_epoch", None) is None and data.repeat > 0
    plain = data.source not in {"array", "tensor", "py_dataset"}
    ended = trace.stop.reason in {StopReason.COMPLETED, StopReason.EARLY_STOPPING}
    if not (whole and plain and ended) or trace.drawn_batches in {None, len(trace.steps)}:
        return None
    message = (
        f"the source handed out {trace.drawn_batches} batches, {len(trace.steps)} were trained"
    )
    return view.violation(
        reason, message, got=trace.drawn_batches, expected=len(trace.steps), where="drawn_batches"
    )


@invariant(
    "steps_follow_plan",
    records=Recording.of("examples"),
    source="Keras, Model.fit(epochs, steps_per_epoch), Model.compile(steps_per_execution)",
)
def steps_follow_plan(view: View, reason: Reason) -> tuple[Violation, ...]:
    """Every epoch has the steps that were asked for, each of the size that was asked for.

    Only the last epoch of a run that was stopped inside it may be shorter. A loop with a step
    budget leaves off when the optimizer's count reaches it.

    Raises:
        NothingToJudge: The plan has no end that could be checked.
    """
    plan, budget = plan_of(view), step_budget(view)
    if plan is None and budget is None:
        message = (
            "steps_per_epoch or max_steps must be given for a source without end, got neither."
        )
        raise NothingToJudge(message)
    found = _budget_kept(view, reason, budget)
    if found is None and plan is not None:
        found = _epochs_kept(view, reason, plan)
    return () if found is None else (found,)


def _budget_kept(view: View, reason: Reason, budget: int | None) -> Violation | None:
    before, after = view.trace.steps.iterations_before, view.trace.steps.iterations_after
    if budget is None or before is None or after is None:
        return None
    for step, count in enumerate(before.tolist()):
        if count >= budget:
            message = f"step {step} was run although the count had reached max_steps"
            return view.violation(
                reason,
                message,
                got=count,
                expected=f"below {budget}",
                step=step,
                where="iterations_before",
            )
    reached = int(after[-1]) if len(after) else 0
    if view.trace.stop.reason is StopReason.MAX_STEPS and reached != budget:
        message = f"the loop left off at a count of {reached}, before its max_steps"
        return view.violation(
            reason, message, got=reached, expected=budget, where="iterations_after"
        )
    return None


def _epochs_kept(view: View, reason: Reason, plan: RunPlan) -> Violation | None:
    planned = {epoch.epoch: epoch for epoch in plan.epochs}
    run = epochs_run(view)
    for epoch in run:
        if epoch not in planned:
            message = (
                f"epoch {epoch} was run, and is none of the {len(planned)} that were asked for"
            )
            return view.violation(
                reason,
                message,
                got=epoch,
                expected=f"one of {sorted(planned)}",
                epoch=epoch,
                where="epoch",
            )
    for asked in plan.epochs:
        last = bool(run) and asked.epoch == run[-1]
        found = _epoch_kept(view, reason, asked, may_be_cut=last)
        if found is not None or (last and view.trace.stop.reason is not StopReason.COMPLETED):
            return found
    return None


def _epoch_kept(
    view: View, reason: Reason, plan: EpochPlan, *, may_be_cut: bool
) -> Violation | None:
    rows = rows_of(view, plan.epoch)
    cut = may_be_cut and view.trace.stop.reason in CUT_SHORT
    early = not view.trace.steps.epoch.size and view.trace.stop.reason in CUT_SHORT
    if len(rows) > plan.steps or (len(rows) < plan.steps and not cut and not early):
        step = rows[plan.steps] if len(rows) > plan.steps else None
        message = f"epoch {plan.epoch} has {len(rows)} steps, {plan.steps} were to be run"
        return view.violation(
            reason,
            message,
            got=len(rows),
            expected=plan.steps,
            step=step,
            epoch=plan.epoch,
            where="steps",
        )
    sizes = view.trace.steps.batch_size
    if sizes is None or _batches_are_shuffled(view):
        return None
    got = sizes[rows.start : rows.stop].tolist()
    wrong = first_difference(got, plan.batch_sizes)
    if wrong is None:
        return None
    message = f"batch {wrong} of epoch {plan.epoch} has {got[wrong]} examples"
    return view.violation(
        reason,
        message,
        got=got[wrong],
        expected=plan.batch_sizes[wrong],
        step=rows[wrong],
        where="batch_size",
    )


def _batches_are_shuffled(view: View) -> bool:
    """Say whether a batch that is not full may come at any time: Keras shuffles whole batches."""
    data = view.pipeline.data
    return data.source == "py_dataset" and data.shuffle is not False
