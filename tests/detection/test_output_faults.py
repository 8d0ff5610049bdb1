"""Totals that are not the sum of their parts."""

from dataclasses import replace

import pytest

from harness.invariants import NothingToJudge
from harness.spec.pipeline import PipelineSpec
from harness.trace import Trace
from tests.invariants.faults import judged
from tests.invariants.traces import fit_trace, pipeline

SPEC = PipelineSpec.model_validate(
    {
        "model": {"kind": "multi_output"},
        "compile": {"loss_weights": [0.5, 2.0]},
        "validation": {"split": 0.5},
    }
)
GOOD = {"loss": 5.0, "first_loss": 2.0, "second_loss": 2.0}


def with_logs(logs: dict[str, float], evaluation: dict[str, float] | None = None) -> Trace:
    """Return a trace whose every epoch has these logs."""
    trace = fit_trace(pipeline())
    epochs = tuple(replace(record, logs=logs) for record in trace.epochs)
    return replace(trace, epochs=epochs, evaluation=evaluation)


class TestTotal:
    """`total_is_sum_of_outputs`."""

    def test_one_output(self) -> None:
        """A single loss is no sum."""
        with pytest.raises(NothingToJudge, match="must have several outputs"):
            judged("total_is_sum_of_outputs", pipeline(), with_logs(GOOD))

    def test_parts_are_missing(self) -> None:
        """Without the losses of the outputs there is nothing to sum up."""
        with pytest.raises(NothingToJudge, match="logs must hold the loss of every output"):
            judged("total_is_sum_of_outputs", SPEC, with_logs({"loss": 5.0}))

    def test_right(self) -> None:
        """Weighted sums pass, in training and validation and in an evaluation."""
        logs = GOOD | {f"val_{key}": value for key, value in GOOD.items()}
        assert judged("total_is_sum_of_outputs", SPEC, with_logs(logs, GOOD)) is None

    def test_weight_lost(self) -> None:
        """A plain sum is found where weights were asked for."""
        found = judged("total_is_sum_of_outputs", SPEC, with_logs(GOOD | {"loss": 4.0}))
        assert found is not None
        assert (found.got, found.expected, found.where, found.epoch) == ("4", "5", "loss", 0)

    def test_weights_default_to_one(self) -> None:
        """Without weights it is the plain sum."""
        spec = SPEC.model_copy(update={"compile": pipeline().compile})
        assert judged("total_is_sum_of_outputs", spec, with_logs(GOOD | {"loss": 4.0})) is None

    def test_validation_and_evaluation(self) -> None:
        """The total of a validation or of an evaluation is found too."""
        bad = {"val_loss": 4.0, "val_first_loss": 2.0, "val_second_loss": 2.0}
        found = judged("total_is_sum_of_outputs", SPEC, with_logs(GOOD | bad))
        assert found is not None
        assert found.where == "val_loss"
        found = judged("total_is_sum_of_outputs", SPEC, with_logs(GOOD, GOOD | {"loss": 4.0}))
        assert found is not None
        assert (found.where, found.epoch) == ("loss", None)
