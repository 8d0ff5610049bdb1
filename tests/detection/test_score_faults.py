"""Wrong losses, slopes, metrics and logs of drawn predictions are found, and right ones pass."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.invariants import NothingToJudge, View
from harness.invariants.planning import plan_of, step_budget
from harness.spec.pipeline import PipelineSpec
from harness.trace import Trace
from tests.invariants.faults import judged, with_column, with_epoch, with_gradient
from tests.invariants.scores import score_trace, scores
from tests.invariants.traces import fit_trace, pipeline

CLOSE: dict[str, Any] = {"rtol": 1e-12, "because": "rounding"}
SLOPE: dict[str, Any] = {"rtol": 1e-7, "atol": 1e-8, "because": "differences"}


FROZEN: dict[str, Any] = {"optimizer": {"kind": "sgd", "learning_rate": 0.0}}


class TestLosses:
    """`losses_match_oracle` and `loss_gradients_match_oracle`."""

    def test_healthy(self) -> None:
        """A mean squared error in NumPy is the one that is demanded."""
        spec = scores()
        trace = score_trace(spec, {})
        assert judged("losses_match_oracle", spec, trace, **CLOSE) is None
        assert judged("loss_gradients_match_oracle", spec, trace, **SLOPE) is None

    def test_wrong_loss(self) -> None:
        """A loss that is a hundredth too high is found at its batch."""
        spec = scores()
        trace = score_trace(spec, {})
        loss = float(trace.steps.column("loss")[4])
        found = judged(
            "losses_match_oracle", spec, with_column(trace, "loss", 4, loss * 1.01), **CLOSE
        )
        assert found is not None
        assert (found.step, found.epoch, found.where) == (4, 1, "loss")
        assert found.message == (
            f"step 4 (epoch 1): loss is {loss * 1.01!r}, expected {loss!r}, "
            f"allowed ±{1e-12 * abs(loss)!r}"
        )

    def test_ignored_weights(self) -> None:
        """A run that left the sample weights out is found, in value and slope."""
        spec = scores(data__weights="sample")
        trace = score_trace(spec, {})
        assert judged("losses_match_oracle", spec, trace, **CLOSE) is not None
        assert judged("loss_gradients_match_oracle", spec, trace, **SLOPE) is not None

    def test_wrong_slope(self) -> None:
        """A slope that is a hundredth too steep is found at its prediction."""
        spec = scores()
        trace = score_trace(spec, {})
        assert trace.gradients is not None
        value = float(trace.gradients.raw[1, 3]) * 1.01
        found = judged(
            "loss_gradients_match_oracle",
            spec,
            with_gradient(trace, value, step=1, element=3),
            **SLOPE,
        )
        assert found is not None
        assert (found.step, found.where, found.got) == (1, "predictions[1, 1]", repr(value))

    def test_coupled(self) -> None:
        """A loss of the whole batch at once is differentiated too."""
        spec = scores(loss={"kind": "dice"}, data__targets="binary", data__predictions="unit")
        trace = score_trace(spec, {})
        assert judged("loss_gradients_match_oracle", spec, trace, **SLOPE) is not None

    @pytest.mark.parametrize(
        "changes",
        [
            {"training__loss": False},
            {"training__via": "evaluate"},
            {"loss": {"kind": "weighted_mse"}},
            {"loss": {"kind": "import", "import": "mine:loss"}},
        ],
    )
    def test_nothing_to_judge(self, changes: dict[str, Any]) -> None:
        """Without a loss by batch, or an oracle for it, there is nothing to judge."""
        spec = scores(**changes)
        with pytest.raises(NothingToJudge):
            judged("losses_match_oracle", spec, score_trace(spec, {}))


class TestMetrics:
    """`metrics_match_oracle`."""

    def right(self, spec: PipelineSpec, names: list[str]) -> dict[str, float]:
        """Return the logs that the check demands, one number after the other."""
        logs = dict.fromkeys(names, -1e9)
        for name in names:
            found = judged("metrics_match_oracle", spec, score_trace(spec, logs))
            assert found is not None
            assert found.where == name
            logs[name] = float(found.expected)
        assert judged("metrics_match_oracle", spec, score_trace(spec, logs)) is None
        return logs

    def test_values(self) -> None:
        """Each wrong number is found, and the right ones are those of NumPy."""
        spec = scores(
            metrics=["mean_absolute_error", {"kind": "mean", "weighted": True}, "accuracy"],
            data__weights="sample",
        )
        logs = self.right(spec, ["mean_absolute_error", "mean", "accuracy"])
        examples = score_trace(spec, {}).examples
        assert examples is not None
        assert examples.sample_weight is not None
        error = np.abs(examples.inputs - examples.targets).mean()
        weighted = np.average(examples.inputs.mean(axis=1), weights=examples.sample_weight)
        assert logs["mean_absolute_error"] == pytest.approx(error)
        assert logs["mean"] == pytest.approx(weighted)
        assert logs["accuracy"] == 0.0

    def test_not_reset(self) -> None:
        """A metric that goes on where the first epoch ended is found in the second."""
        spec = scores(metrics=["sum"])
        logs = self.right(spec, ["sum"])
        trace = with_epoch(score_trace(spec, logs), 1, logs={"sum": 2 * logs["sum"]})
        found = judged("metrics_match_oracle", spec, trace)
        assert found is not None
        assert found.epoch == 1
        assert found.message.startswith("epoch 1: sum is ")

    def test_other_name(self) -> None:
        """A metric that is reported under another name is found before its value."""
        spec = scores(metrics=["sum"])
        found = judged("metrics_match_oracle", spec, score_trace(spec, {"total": 1.0}))
        assert found is not None
        assert found.message == "epoch 0 reports total, it must report sum"

    def test_several_numbers(self) -> None:
        """A metric with several thresholds has as many numbers."""
        metrics = [{"kind": "precision", "thresholds": [0.25, 0.5], "name": "p"}, "f1"]
        spec = scores(metrics=metrics, data__targets="binary", data__predictions="unit")
        assert list(self.right(spec, ["p[0]", "p[1]", "f1"])) == ["p[0]", "p[1]", "f1"]

    def test_through_evaluate(self) -> None:
        """The loss is reported as well, and accuracy means what the shapes say."""
        spec = scores(
            metrics=["accuracy"],
            training__via="evaluate",
            data__targets="column",
            data__predictions="softmax",
            loss={"kind": "sparse_categorical_crossentropy"},
        )
        logs = self.right(spec, ["loss", "accuracy"])
        examples = score_trace(spec, {}).examples
        assert examples is not None
        hits = examples.inputs.argmax(axis=-1) == examples.targets[:, 0]
        assert logs["accuracy"] == pytest.approx(hits.mean())
        binary = scores(metrics=["accuracy"], training__via="evaluate", data__shape=[1])
        assert set(self.right(binary, ["loss", "accuracy"])) == {"loss", "accuracy"}
        hot = scores(metrics=["accuracy"], training__via="evaluate", data__targets="one_hot")
        assert set(self.right(hot, ["loss", "accuracy"])) == {"loss", "accuracy"}

    def test_nothing_to_judge(self) -> None:
        """The user's own metrics, and a run that was trained, are not judged."""
        spec = scores(metrics=[{"kind": "import", "import": "mine:metric"}])
        with pytest.raises(NothingToJudge, match="metric must be one"):
            judged("metrics_match_oracle", spec, score_trace(spec, {}))
        with pytest.raises(NothingToJudge, match="training must be update_metrics"):
            judged("metrics_match_oracle", pipeline(), fit_trace(pipeline()))


def test_nothing_is_planned() -> None:
    """Drawn predictions have no source whose steps could be planned, and no budget of updates."""
    view = View(pipeline=scores(), trace=score_trace(scores(), {}))
    assert plan_of(view) is None
    assert step_budget(view) is None


class TestFrozen:
    """`frozen_logs_match_oracle`."""

    def right(self, spec: PipelineSpec, trace: Trace, names: list[str]) -> dict[str, float]:
        """Return the logs that the check demands, one number after the other."""
        logs = dict.fromkeys(names, -1e9)
        for name in names:
            found = judged("frozen_logs_match_oracle", spec, self.logging(trace, logs))
            assert found is not None
            assert (found.where, found.epoch) == (name, 0)
            logs[name] = float(found.expected)
        assert judged("frozen_logs_match_oracle", spec, self.logging(trace, logs)) is None
        return logs

    def logging(self, trace: Trace, logs: dict[str, float]) -> Trace:
        """Return the trace with the same logs in both epochs."""
        return with_epoch(with_epoch(trace, 0, logs=logs), 1, logs=logs)

    def test_phantom_batch(self) -> None:
        """A mean that counts one batch of nothing is found."""
        spec = pipeline(**FROZEN, metrics=["mean_absolute_error"])
        trace = fit_trace(pipeline(**FROZEN))
        logs = self.right(spec, trace, ["loss", "mean_absolute_error"])
        assert logs["loss"] == pytest.approx(trace.epochs[0].logs["loss"])
        deflated = {name: value * 10 / 14 for name, value in logs.items()}
        found = judged("frozen_logs_match_oracle", spec, self.logging(trace, deflated), **CLOSE)
        assert found is not None
        assert found.message == (
            f"epoch 0: loss is {deflated['loss']!r}, expected {logs['loss']!r}, "
            f"allowed ±{1e-12 * logs['loss']!r}"
        )

    def test_missing(self) -> None:
        """A metric that is not reported at all is found."""
        spec = pipeline(**FROZEN, metrics=["mean_absolute_error"])
        trace = fit_trace(pipeline(**FROZEN))
        logs = {"loss": self.right(spec, trace, ["loss", "mean_absolute_error"])["loss"]}
        found = judged("frozen_logs_match_oracle", spec, self.logging(trace, logs))
        assert found is not None
        assert found.message == "epoch 0 does not report mean_absolute_error"

    def test_penalties(self) -> None:
        """Penalties on weights and activities enter the loss once."""
        plain, trace = pipeline(**FROZEN), fit_trace(pipeline(**FROZEN))
        spec = pipeline(**FROZEN, model__activity_l2=0.5)
        base = self.right(plain, trace, ["loss"])["loss"]
        more = self.right(spec, trace, ["loss"])["loss"]
        assert more > base

    def test_weights_and_remainder(self) -> None:
        """Weighted metrics are weighted, and left-out examples don't count."""
        metrics = [{"kind": "mean", "weighted": True}, {"kind": "import", "import": "mine:own"}]
        spec = pipeline(**FROZEN, metrics=metrics, data__drop_remainder=True)
        trace = fit_trace(pipeline(**FROZEN))
        assert trace.examples is not None
        weights = np.arange(10.0)
        weighted = replace(trace, examples=replace(trace.examples, sample_weight=weights))
        one = self.right(spec, weighted, ["loss", "mean"])
        weights = np.concatenate([weights[:8], [9.0, 9.0]])
        other = replace(trace, examples=replace(trace.examples, sample_weight=weights))
        assert self.right(spec, other, ["loss", "mean"]) == one

    def test_integer_targets(self) -> None:
        """Class numbers stay numbers."""
        changes = FROZEN | {"model__units": [3, 4], "model__output_activation": "softmax"}
        spec = pipeline(**changes, loss="sparse_categorical_crossentropy")
        trace = fit_trace(pipeline(**FROZEN, model__units=[3, 4]))
        assert trace.examples is not None
        numbered = replace(trace, examples=replace(trace.examples, targets=np.arange(10) % 4))
        assert self.right(spec, numbered, ["loss"])["loss"] > 0.0

    @pytest.mark.parametrize(
        "validation",
        [
            {"split": 0.25},
            {"split": 0.25, "batch_size": 2, "drop_remainder": True},
            {"split": 0.25, "batch_size": 1, "validation_steps": 2},
        ],
    )
    def test_validation(self, validation: dict[str, Any]) -> None:
        """The held-out examples are judged where an epoch evaluated them, unless weighted."""
        spec = pipeline(**FROZEN, validation=validation)
        trace = fit_trace(pipeline(**FROZEN))
        assert trace.examples is not None
        held = {"validation_inputs": np.eye(3)[:, :2], "validation_targets": np.ones((3, 1))}
        trace = replace(trace, examples=replace(trace.examples, **held))
        logs = self.right(spec, trace, ["loss", "val_loss"])
        assert trace.examples is not None
        weighted = replace(trace.examples, sample_weight=np.ones(10))
        wrong = self.logging(replace(trace, examples=weighted), logs | {"val_loss": 0.0})
        assert judged("frozen_logs_match_oracle", spec, wrong, **CLOSE) is None

    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {**FROZEN, "training__steps_per_epoch": 2},
            {**FROZEN, "loss": {"kind": "huber", "reduction": "sum"}},
        ],
    )
    def test_nothing_to_judge(self, changes: dict[str, Any]) -> None:
        """A model that learns, parts of passes and sums are not judged."""
        with pytest.raises(NothingToJudge):
            judged("frozen_logs_match_oracle", pipeline(**changes), fit_trace(pipeline()))
