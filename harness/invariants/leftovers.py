"""What must be used up, or given back, once a run is over."""

from harness.invariants.base import NothingToJudge, Reason, View, Violation, invariant
from harness.invariants.readings import CUT_SHORT


@invariant(
    "nothing_is_left_behind",
    source="003, memory exhaustion; Keras, PyDataset(workers), callbacks that write files",
)
def nothing_is_left_behind(view: View, reason: Reason) -> tuple[Violation, ...]:
    """Threads, open files and child processes are after a run what they were before it.

    Raises:
        NothingToJudge: Nobody looked: the run never began.
    """
    left = view.trace.resources.left_behind
    if left is None:
        message = "threads and files must be counted to be judged, got a run that never began."
        raise NothingToJudge(message)
    if not left:
        return ()
    names = ", ".join(dict.fromkeys(left))
    message = f"{len(left)} left after a run that ended by {view.trace.stop.reason.value}: {names}"
    return (view.violation(reason, message, got=names, expected="nothing", where="left_behind"),)


@invariant(
    "every_drawn_batch_is_trained",
    source="Keras, Model.fit(steps_per_epoch) on a generator, which cannot give a batch twice",
)
def every_drawn_batch_is_trained(view: View, reason: Reason) -> tuple[Violation, ...]:
    """A batch that was taken out of a generator is trained on, so that none is lost for the next.

    Raises:
        NothingToJudge: The source can start anew, so that nothing is lost, or the run broke off.
    """
    trace, source = view.trace, view.pipeline.data.source
    drawn = trace.drawn_batches
    if source != "generator" or drawn is None or trace.stop.reason in CUT_SHORT:
        message = f"a generator must be trained on to the end to be judged, got source {source!r}."
        raise NothingToJudge(message)
    if drawn <= len(trace.steps):
        return ()
    message = f"{drawn} batches were taken out of the generator, {len(trace.steps)} trained on"
    return (
        view.violation(
            reason, message, got=drawn, expected=len(trace.steps), where="drawn_batches"
        ),
    )
