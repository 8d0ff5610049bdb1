"""What `evaluate` and `predict` return after training, against NumPy over all examples."""

from collections.abc import Iterator

import numpy as np

from harness.invariants.base import NothingToJudge, Reason, View, Violation, invariant
from harness.invariants.metrics import key_of, metric_over, named
from harness.invariants.readings import is_scripted
from harness.invariants.reference import (
    Network,
    is_mean,
    loss_of,
    network_of,
    shaped,
)
from harness.oracles.dense import forward, loss_and_gradients
from harness.spec.metrics import ImportedMetricSpec
from harness.trace.recording import Recording


@invariant(
    "evaluate_matches_oracle",
    records=Recording.of("state", "examples"),
    source="Keras, Model.evaluate, Model.predict; 004, evaluation",
)
def evaluate_matches_oracle(view: View, reason: Reason) -> tuple[Violation, ...]:
    """Loss, metrics and predictions after training are those of the final weights in NumPy.

    Both see all examples, or the first `steps` batches, in order. The user's own metrics are left
    out.

    Raises:
        NothingToJudge: The pipeline neither evaluates nor predicts, or its model or its loss can't
            be recomputed.
    """
    trace = view.trace
    if trace.evaluation is None and trace.predictions is None:
        message = 'then must hold "evaluate" or "predict" to be judged, got a run without either.'
        raise NothingToJudge(message)
    network = network_of(view, trained=True)
    for name, expected in expected_evaluation(view, network):
        if trace.evaluation is None or name not in trace.evaluation:
            continue
        mismatch = view.differs(
            trace.evaluation[name], expected, quantity="evaluation", where=f"evaluation.{name}"
        )
        if mismatch is not None:
            return (view.numeric(reason, mismatch),)
    return _predictions(view, reason, network)


def _predictions(view: View, reason: Reason, network: Network) -> tuple[Violation, ...]:
    got = view.trace.predictions
    if got is None:
        return ()
    inputs = view.examples.inputs[_rows(view)].astype(np.float64)
    expected = forward(network.layers, inputs)[-1]
    mismatch = view.differs(
        got.astype(np.float64), expected, quantity="predictions", where="predictions"
    )
    return () if mismatch is None else (view.numeric(reason, mismatch),)


def _rows(view: View) -> slice:
    """Return which examples are read after training: the first so many batches, or all."""
    after = view.pipeline.after
    size = after.batch_size or view.pipeline.data.batch_size
    return slice(None if after.steps is None else after.steps * size)


@invariant(
    "evaluation_changes_nothing",
    source="Keras, Model.evaluate, Model.predict: test and inference mode",
)
def evaluation_changes_nothing(view: View, reason: Reason) -> tuple[Violation, ...]:
    """Evaluating and predicting leave every variable of model and optimizer bit for bit.

    Raises:
        NothingToJudge: The pipeline neither evaluates nor predicts.
    """
    events = [event for event in view.trace.events if event.kind == "after"]
    if not events:
        message = 'then must hold "evaluate" or "predict" to be judged, got a run without either.'
        raise NothingToJudge(message)
    for event in events:
        changed = event.detail["changed"]
        if changed:
            message = f"{event.name} changed variables: {changed}"
            return (
                view.violation(
                    reason, message, got=changed, expected="no change", where=event.name
                ),
            )
    return ()


@invariant(
    "validation_follows_frequency",
    source="Keras, Model.fit(validation_freq): how many epochs to run before a new validation",
)
def validation_follows_frequency(view: View, reason: Reason) -> tuple[Violation, ...]:
    """An epoch logs a validation loss if, and only if, validation_freq says so.

    That is one whose number, from 1, the frequency divides or lists.

    Raises:
        NothingToJudge: Nothing is held out, or a callback writes the loss by script.
    """
    validation = view.pipeline.validation
    if validation is None or is_scripted(view, "val_loss"):
        message = "examples must be held out to be judged, got a run without validation of its own."
        raise NothingToJudge(message)
    for record in view.trace.epochs:
        wanted = validation.due_after(record.epoch)
        logged = "val_loss" in record.logs
        if logged is not wanted:
            message = f"epoch {record.epoch} {'was' if logged else 'was not'} validated"
            listed = validation.validation_epochs
            which = f"those of {listed}" if listed else f"every {validation.validation_freq}"
            return (
                view.violation(
                    reason,
                    f"{message}, {which} should be",
                    got=logged,
                    expected=wanted,
                    epoch=record.epoch,
                    where="val_loss",
                ),
            )
    return ()


def expected_evaluation(view: View, network: Network) -> Iterator[tuple[str, float]]:
    """Yield name and value of the loss and of each metric that an oracle computes.

    Raises:
        NothingToJudge: The loss is not a mean over examples, or no oracle knows it.
    """
    kind, arguments = loss_of(view)
    if not is_mean(arguments["reduction"]):
        message = f"loss must be a mean over examples, got reduction {arguments['reduction']!r}."
        raise NothingToJudge(message)
    examples, rows = view.examples, _rows(view)
    weight = None if examples.sample_weight is None else examples.sample_weight[rows]
    targets = shaped(examples.targets[rows].astype(np.float64), network)
    found = loss_and_gradients(
        network.layers,
        examples.inputs[rows].astype(np.float64),
        targets,
        kind,
        sample_weight=None if weight is None else weight.astype(np.float64),
        **arguments,
    )
    yield "loss", found.loss
    for metric in view.pipeline.metrics:
        if not isinstance(metric, ImportedMetricSpec):
            given = None if weight is None or not metric.weighted else weight.astype(np.float64)
            value = metric_over(metric, targets, found.predictions, given, compiled=True)
            yield from named(key_of(metric), value)
