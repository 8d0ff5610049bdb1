"""Which examples are trained on, and what is said when there are no more."""

from collections import Counter
from collections.abc import Sequence

from harness.invariants.base import NothingToJudge, Reason, View, Violation, invariant
from harness.invariants.planning import epochs_run, pass_sizes, plan_of, rows_of
from harness.invariants.readings import CUT_SHORT, is_scripted, uses_fit
from harness.oracles.counting import RunPlan, batch_sizes
from harness.spec.training import ApplyGradientsSpec, FitSpec, WhileLoopSpec
from harness.trace.examples import ExampleTable
from harness.trace.recording import Recording
from harness.trace.stop import StopReason

RAN_OUT = "ran out of data"
"""What Keras' warning says when a source ends before the plan."""


@invariant(
    "every_sample_once_per_epoch",
    records=Recording.of("samples", "examples"),
    source="Keras, Model.fit(epochs): an epoch is an iteration over the entire data provided",
)
def every_sample_once_per_epoch(view: View, reason: Reason) -> tuple[Violation, ...]:
    """Each pass over the data trains on every example once, whatever the shuffling.

    With `steps_per_epoch` passes run on across epochs. A pass that the end of training cuts short
    has no example twice. A dropped remainder is left out of the count.

    Raises:
        NothingToJudge: No example of any batch could be identified.
    """
    driven = isinstance(view.pipeline.training, ApplyGradientsSpec)
    samples = () if driven else view.samples
    known = not any(samples) or any(index >= 0 for step in samples for index in step)
    if driven or not known:
        message = "examples must be identified to be followed, got a trace in which none was."
        raise NothingToJudge(message)
    if _runs_on(view):
        found = _passes(view, reason, range(len(samples)), complete=False)
        return () if found is None else (found,)
    run, whole = epochs_run(view), getattr(view.pipeline.training, "steps_per_epoch", None) is None
    for number, epoch in enumerate(run):
        rows = rows_of(view, epoch)
        cut = epoch == run[-1] and view.trace.stop.reason in CUT_SHORT
        complete = bool(rows) and whole and not cut
        found = _passes(view, reason, rows, complete=complete, number=number)
        if found is not None:
            return (found,)
    return ()


def _runs_on(view: View) -> bool:
    """Say whether passes go on from one epoch into the next."""
    training = view.pipeline.training
    cut = getattr(training, "steps_per_epoch", None) is not None
    kept = isinstance(training, FitSpec) or view.pipeline.data.source == "generator"
    return (cut and kept) or isinstance(training, WhileLoopSpec)


def _passes(
    view: View, reason: Reason, rows: range, *, complete: bool, number: int = 0
) -> Violation | None:
    stream = [(step, index) for step in rows for index in view.samples[step]]
    copies = _copies(view.examples)
    length = _examples_per_pass(view)
    for start in range(0, len(stream), length or 1):
        one_pass = stream[start : start + length]
        found = _repeated(view, reason, one_pass, copies, start // (length or 1))
        if found is not None:
            return found
    wanted = sum(pass_sizes(view, number))
    if not complete or len(stream) == wanted:
        return None
    seen = Counter(index for _, index in stream)
    missing = [index for index in copies if not seen[index]]
    names = ", ".join(map(str, missing[:5])) + (", ..." if len(missing) > 5 else "")  # noqa: PLR2004
    epoch = view.epoch_of(rows.start)
    message = f"epoch {epoch} trained on {len(stream)} examples, {wanted} are in the data"
    return view.violation(
        reason,
        f"{message}; never seen: {names}" if missing else message,
        got=len(stream),
        expected=wanted,
        epoch=epoch,
        where="sample_ids",
    )


def _examples_per_pass(view: View) -> int:
    """Return after how many examples the stream starts anew."""
    data, examples = view.pipeline.data, len(view.examples)
    whole = data.source in {"dataset", "dataset_unknown"} and data.repeat != 1
    return (
        examples
        if whole or not data.drop_remainder
        else sum(batch_sizes(examples, data.batch_size, drop_remainder=True))
    )


def _copies(examples: ExampleTable) -> Counter[int]:
    """Return how many examples have the same inputs as each first one of its kind."""
    first: dict[bytes, int] = {}
    contents = (example.tobytes() for example in examples.inputs)
    return Counter(first.setdefault(content, index) for index, content in enumerate(contents))


def _repeated(
    view: View,
    reason: Reason,
    stream: Sequence[tuple[int, int]],
    copies: Counter[int],
    number: int,
) -> Violation | None:
    """Return an example that is foreign, or in a pass more often than in the data."""
    seen: dict[int, list[int]] = {}
    for step, index in stream:
        if not copies[index]:
            message = f"step {step} trained on an example that is not in the data"
            return view.violation(
                reason,
                message,
                got=index,
                expected="an example of the data",
                step=step,
                where="sample_ids",
            )
        before = seen.setdefault(index, [])
        if len(before) == copies[index]:
            message = f"example {index} is in step {before[-1]} and again in step {step}"
            return view.violation(
                reason,
                f"{message}, within pass {number}",
                got=len(before) + 1,
                expected=copies[index],
                step=step,
                where=f"sample_ids[{index}]",
            )
        before.append(step)
    return None


@invariant(
    "never_trains_on_undrawn_batches",
    source="003, dataset exhaustion; Keras, the warning that input ran out of data",
)
def never_trains_on_undrawn_batches(view: View, reason: Reason) -> tuple[Violation, ...]:
    """Training never runs on more batches than the source has handed out.

    Raises:
        NothingToJudge: The source does not count what it hands out.
    """
    trace = view.trace
    counted = [record for record in trace.epochs if record.drawn_batches is not None]
    if trace.drawn_batches is None and not counted:
        message = (
            "batches must be counted where they are drawn, got a source that does not count. "
            "Use a dataset, a generator or a PyDataset."
        )
        raise NothingToJudge(message)
    drawn = trained = 0
    for record in counted:
        drawn += record.drawn_batches or 0
        trained += len(rows_of(view, record.epoch))
        if trained > drawn:
            step = record.first_step + record.steps - (trained - drawn)
            return (_undrawn(view, reason, drawn, trained, max(step, 0)),)
    if trace.drawn_batches is not None and len(trace.steps) > trace.drawn_batches:
        total = trace.drawn_batches
        return (_undrawn(view, reason, total, len(trace.steps), total),)
    return ()


def _undrawn(view: View, reason: Reason, drawn: int, trained: int, step: int) -> Violation:
    epoch = view.epoch_of(step)
    message = f"by epoch {epoch} the source had handed out {drawn} batches, {trained} were trained"
    return view.violation(
        reason, message, got=trained, expected=f"at most {drawn}", step=step, where="drawn_batches"
    )


@invariant(
    "data_exhaustion_is_reported",
    records=Recording.of("examples"),
    source="003, dataset exhaustion; Keras, the warning that input ran out of data",
)
def data_exhaustion_is_reported(view: View, reason: Reason) -> tuple[Violation, ...]:
    """A source that ends before the plan is reported, with the plan, and only such a source is.

    Raises:
        NothingToJudge: Keras did not run the loop.
    """
    plan = plan_of(view)
    if plan is None or not uses_fit(view):
        message = "data_exhaustion_is_reported must judge a run of fit, got another loop."
        raise NothingToJudge(message)
    ran_out = plan.exhausted_epoch
    if ran_out is not None:
        found = _told(view, reason, plan, ran_out)
        return () if found is None else (found,)
    stop = view.trace.stop
    if stop.reason is not StopReason.DATA_EXHAUSTED:
        return ()
    message = f"exhaustion is reported of a source that has all {plan.planned_steps} steps"
    return (
        view.violation(
            reason, message, got=stop.reason.value, expected="another reason", where="stop"
        ),
    )


def _told(view: View, reason: Reason, plan: RunPlan, epoch: int) -> Violation | None:
    stop = view.trace.stop
    what = f"the data ran out in epoch {epoch}, after {plan.steps} of {plan.planned_steps} steps"
    if stop.reason is StopReason.COMPLETED:
        return view.violation(
            reason,
            f"{what}, and the run counts as completed",
            got=stop.reason.value,
            expected=StopReason.DATA_EXHAUSTED.value,
            epoch=epoch,
            where="stop",
        )
    if stop.reason is not StopReason.DATA_EXHAUSTED:
        return None
    if stop.planned_steps != plan.planned_steps:
        return view.violation(
            reason,
            f"{what}, and the report names another plan",
            got=stop.planned_steps,
            expected=plan.planned_steps,
            epoch=epoch,
            where="stop.planned_steps",
        )
    messages = (
        str(event.detail.get("message")) for event in view.trace.events if event.kind == "warning"
    )
    if not any(RAN_OUT in message for message in messages):
        return view.violation(
            reason,
            f"{what}, and Keras warned nobody",
            got="no warning",
            expected=f"a warning with {RAN_OUT!r}",
            epoch=epoch,
            where="warnings",
        )
    return None


@invariant(
    "loss_log_is_sample_mean",
    source="Keras, Mean metric of the loss, weighted by batch size; 004, metrics",
)
def loss_log_is_sample_mean(view: View, reason: Reason) -> tuple[Violation, ...]:
    """The loss logged for an epoch is the mean of its batch losses, weighted by batch size.

    Raises:
        NothingToJudge: A callback writes the log by script, or no epoch logs a loss.
    """
    logged = [record for record in view.trace.epochs if "loss" in record.logs]
    if is_scripted(view, "loss") or (view.trace.epochs and not logged):
        message = "the loss must be logged by the loop itself, got one that is scripted or absent."
        raise NothingToJudge(message)
    losses, sizes = view.trace.steps.column("loss"), view.trace.steps.column("batch_size")
    for record in logged:
        rows = record.rows
        total = float(sizes[rows].sum())
        if total == 0.0:
            continue
        expected = float((losses[rows] * sizes[rows]).sum()) / total
        mismatch = view.differs(
            record.logs["loss"], expected, quantity="logs", where="loss", epoch=record.epoch
        )
        if mismatch is not None:
            return (view.numeric(reason, mismatch),)
    return ()
