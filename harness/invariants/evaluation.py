"""What `evaluate` and `predict` return after training, against NumPy over all examples."""

from collections.abc import Iterator

import numpy as np

from harness.invariants.base import NothingToJudge, Reason, View, Violation, invariant
from harness.invariants.metrics import key_of, metric_over, named
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

    Both see all examples, in order. The user's own metrics are left out.

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
    expected = forward(network.layers, view.examples.inputs.astype(np.float64))[-1]
    mismatch = view.differs(
        got.astype(np.float64), expected, quantity="predictions", where="predictions"
    )
    return () if mismatch is None else (view.numeric(reason, mismatch),)


def expected_evaluation(view: View, network: Network) -> Iterator[tuple[str, float]]:
    """Yield name and value of the loss and of each metric that an oracle computes.

    Raises:
        NothingToJudge: The loss is not a mean over examples, or no oracle knows it.
    """
    kind, arguments = loss_of(view)
    if not is_mean(arguments["reduction"]):
        message = f"loss must be a mean over examples, got reduction {arguments['reduction']!r}."
        raise NothingToJudge(message)
    examples = view.examples
    weight = examples.sample_weight
    targets = shaped(examples.targets.astype(np.float64), network)
    found = loss_and_gradients(
        network.layers,
        examples.inputs.astype(np.float64),
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
