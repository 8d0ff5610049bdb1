"""NaN weights, growing memory and wrong evaluations are found."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.invariants import NothingToJudge
from harness.spec.pipeline import PipelineSpec
from harness.trace import EpochRecord, ExampleTable, StateTable, Trace, VariableInfo
from tests.invariants.faults import judged, with_state
from tests.invariants.traces import MEBIBYTE, fit_trace, pipeline


class TestFinite:
    """`weights_stay_finite`."""

    def test_nan(self) -> None:
        """The first weight that is no number is found, with its step."""
        spec = pipeline()
        trace = with_state(fit_trace(spec), "dense_0/kernel", float("nan"), step=4, element=3)
        found = judged("weights_stay_finite", spec, trace)
        assert found is not None
        message = "dense_0/kernel[1, 0] is nan after step 4 (1 of 6 values are not finite)"
        assert found.message == message
        assert (found.step, found.epoch, found.got) == (4, 1, "nan")

    def test_final(self) -> None:
        """A weight that becomes infinite after the last step is found."""
        spec = pipeline()
        trace = with_state(fit_trace(spec), "dense_1/bias", float("inf"), part="final")
        found = judged("weights_stay_finite", spec, trace)
        assert found is not None
        assert (
            found.message == "dense_1/bias[0] is inf after training (1 of 1 values are not finite)"
        )
        assert found.step is None

    def test_scalar_weight(self) -> None:
        """A weight without dimensions has no index."""
        spec = pipeline()
        trace = fit_trace(spec)
        infinite = np.array([np.inf])
        info = VariableInfo(path="scale", shape=(), dtype="float32", role="trainable")
        rows = np.full((6, 1), np.inf)
        table = StateTable(
            variables=(info,), initial=infinite, before=rows, after=rows, final=infinite
        )
        found = judged("weights_stay_finite", spec, replace(trace, state=table))
        assert found is not None
        assert found.where == "scale"

    def test_healthy(self) -> None:
        """Finite weights pass, whatever the slots hold."""
        spec = pipeline()
        trace = with_state(fit_trace(spec), "dense_0_kernel_momentum", float("nan"), step=4)
        assert judged("weights_stay_finite", spec, trace) is None


class TestMemory:
    """`memory_is_flat`."""

    def with_memory(self, *values: float) -> Trace:
        """Return a run with this much resident memory after each epoch."""
        epochs = tuple(
            EpochRecord(
                epoch=epoch, steps=0, logs={}, first_step=0, stop_step=0, rss_bytes=int(value)
            )
            for epoch, value in enumerate(values)
        )
        return replace(fit_trace(pipeline()), epochs=epochs)

    def test_leak(self) -> None:
        """A megabyte an epoch is found under noise of the same size."""
        noise = np.random.default_rng(0).normal(0, MEBIBYTE / 2, 20)
        memory = 500 * MEBIBYTE + np.arange(20) * MEBIBYTE + noise
        found = judged("memory_is_flat", pipeline(), self.with_memory(*memory))
        assert found is not None
        assert found.message.startswith("resident memory grows by ")
        assert found.got.endswith("]")
        assert found.expected == "at most 0 bytes an epoch"
        assert (found.epoch, found.allowed) == (19, "exact")

    def test_leak_within_tolerance(self) -> None:
        """Growth below the tolerance passes, growth certainly above does not."""
        trace = self.with_memory(*(100 + 10 * epoch for epoch in range(10)))
        assert judged("memory_is_flat", pipeline(), trace, atol=10.0, because="pages") is None
        found = judged("memory_is_flat", pipeline(), trace, atol=9.0, because="pages")
        assert found is not None
        assert found.allowed == "±9.0 (pages)"

    @pytest.mark.parametrize(
        "memory",
        [
            [0, 500, 500, 500, 500, 500, 500],
            [0, 500, 490, 480, 470, 460, 450],
            [900, 500, 900, 500, 500, 501, 500, 500],
            [100, 500, 900, 500, 900, 500, 900, 500],
        ],
    )
    def test_flat(self, memory: list[int]) -> None:
        """Constant, falling, spiky and noisy memory is not growth, nor is the first epoch."""
        assert judged("memory_is_flat", pipeline(), self.with_memory(*memory)) is None

    def test_too_few_epochs(self) -> None:
        """Six epochs are too few to be certain of anything."""
        with pytest.raises(NothingToJudge, match="must see at least 7 epochs, got 6"):
            judged("memory_is_flat", pipeline(), self.with_memory(*range(6)))


class TestEvaluation:
    """`evaluate_matches_oracle`."""

    METRICS = (
        "mean_absolute_error",
        {"kind": "root_mean_squared_error", "name": "rmse"},
        {"kind": "import", "import": "mine:metric", "name": "own"},
        {"kind": "binary_accuracy", "threshold": 0.25},
    )

    def run(self, spec: PipelineSpec, **changes: Any) -> Trace:
        """Return a run with examples of ones and zeros."""
        trace = fit_trace(pipeline())
        assert trace.examples is not None
        examples = ExampleTable(
            inputs=trace.examples.inputs, targets=(np.arange(10) % 2).reshape(10, 1)
        )
        return replace(trace, examples=examples, pipeline=spec.model_dump_json(), **changes)

    def right(self, spec: PipelineSpec, trace: Trace, names: list[str]) -> dict[str, float]:
        """Return the evaluation that the check demands, one number after the other."""
        evaluation = dict.fromkeys(names, -1.0)
        for name in names:
            found = judged("evaluate_matches_oracle", spec, replace(trace, evaluation=evaluation))
            assert found is not None
            assert found.where == f"evaluation.{name}"
            evaluation[name] = float(found.expected)
        return evaluation

    def test_loss_and_metrics(self) -> None:
        """Each wrong number is found, and the right ones are those of NumPy."""
        spec = pipeline(metrics=list(self.METRICS))
        names = ["loss", "mean_absolute_error", "rmse", "binary_accuracy"]
        trace = self.run(spec)
        evaluation = self.right(spec, trace, names)
        assert evaluation["rmse"] == pytest.approx(evaluation["loss"] ** 0.5)
        assert trace.state is not None
        weights = [trace.state.final_of(path) for path in trace.state.paths("trainable")]
        assert trace.examples is not None
        hidden = np.tanh(trace.examples.inputs @ weights[0] + weights[1])
        error = hidden @ weights[2] + weights[3] - trace.examples.targets
        assert evaluation["loss"] == pytest.approx(float((error**2).mean()), rel=1e-14)
        assert evaluation["mean_absolute_error"] == pytest.approx(float(np.abs(error).mean()))
        good = replace(trace, evaluation=evaluation | {"own": 0.5})
        assert judged("evaluate_matches_oracle", spec, good) is None

    def test_deflated(self) -> None:
        """A figure that counts one phantom batch too many is found."""
        spec = pipeline()
        trace = self.run(spec)
        loss = self.right(spec, trace, ["loss"])["loss"]
        wrong = replace(trace, evaluation={"loss": loss * 10 / 14})
        found = judged("evaluate_matches_oracle", spec, wrong, rtol=1e-6, because="float32")
        assert found is not None
        assert found.where == "evaluation.loss"

    def test_predictions(self) -> None:
        """Predictions are those of the final weights, in the order of the data."""
        spec = pipeline()
        trace = self.run(spec, predictions=np.zeros((10, 1), dtype=np.float32))
        found = judged("evaluate_matches_oracle", spec, trace)
        assert found is not None
        assert found.where == "predictions[0, 0]"

    def test_loss_alone(self) -> None:
        """A run that evaluates and does not predict is judged by its numbers."""
        spec = pipeline()
        trace = self.run(spec)
        good = replace(trace, evaluation=self.right(spec, trace, ["loss"]))
        assert judged("evaluate_matches_oracle", spec, good) is None

    @pytest.mark.parametrize(
        ("metric", "names"),
        [
            ("accuracy", ["loss", "accuracy"]),
            ({"kind": "precision", "thresholds": 0.25}, ["loss", "precision"]),
            ("f1", ["loss", "f1"]),
            ("recall", ["loss", "recall"]),
            ("binary_crossentropy", ["loss", "binary_crossentropy"]),
        ],
    )
    def test_metrics(self, metric: Any, names: list[str]) -> None:
        """Every metric that an oracle computes is judged."""
        spec = pipeline(metrics=[metric])
        evaluation = self.right(spec, self.run(spec), names)
        assert all(value >= 0.0 for value in evaluation.values())

    @pytest.mark.parametrize("one_hot", [False, True])
    def test_classes(self, one_hot: bool) -> None:  # noqa: FBT001
        """Accuracy over classes follows the form of the targets."""
        kind = "categorical_crossentropy" if one_hot else "sparse_categorical_crossentropy"
        top = "top_k_categorical_accuracy" if one_hot else "sparse_top_k_categorical_accuracy"
        changes: dict[str, Any] = {
            "model__units": [3, 4],
            "model__output_activation": "softmax",
            "loss": kind,
            "metrics": ["accuracy", {"kind": top, "k": 2}],
        }
        spec = pipeline(**changes)
        trace = self.run(spec)
        other = fit_trace(pipeline(model__units=[3, 4]))
        labels = np.arange(10) % 4
        targets = np.eye(4)[labels] if one_hot else labels
        assert trace.examples is not None
        trace = replace(trace, state=other.state, examples=replace(trace.examples, targets=targets))
        evaluation = self.right(spec, trace, ["loss", "accuracy", top])
        assert 0.0 <= evaluation["accuracy"] <= evaluation[top] <= 1.0

    def test_weighted_loss(self) -> None:
        """Sample weights enter the loss, and dropout nothing."""
        spec = pipeline(model__dropout=0.5)
        trace = self.run(spec)
        assert trace.examples is not None
        plain = self.right(spec, trace, ["loss"])["loss"]
        doubled = replace(trace, examples=replace(trace.examples, sample_weight=np.full(10, 2.0)))
        assert self.right(spec, doubled, ["loss"])["loss"] == pytest.approx(2 * plain)

    @pytest.mark.parametrize(
        ("changes", "match"),
        [
            ({"model__batch_norm": True, "model__kernel_l2": 0.5}, "must be an mlp"),
            ({"loss": {"kind": "huber", "reduction": "sum"}}, "must be a mean over examples"),
        ],
    )
    def test_nothing_to_judge(self, changes: dict[str, Any], match: str) -> None:
        """What can't be recomputed is not judged."""
        spec = pipeline(**changes)
        trace = self.run(spec, evaluation={"loss": 1.0})
        with pytest.raises(NothingToJudge, match=match):
            judged("evaluate_matches_oracle", spec, trace)

    def test_neither(self) -> None:
        """A run that neither evaluates nor predicts has nothing to judge."""
        with pytest.raises(NothingToJudge, match='"evaluate" or "predict"'):
            judged("evaluate_matches_oracle", pipeline(), self.run(pipeline()))
