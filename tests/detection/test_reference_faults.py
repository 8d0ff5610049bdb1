"""A full reference finds the first value of a run that is not the predicted one."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.invariants import NothingToJudge
from harness.spec.expectation import MatchesOracleSpec
from harness.spec.pipeline import PipelineSpec
from harness.trace import ExampleTable, StopReason, Trace
from tests.invariants.configurations import CONFIGURATIONS, violation
from tests.invariants.faults import until, with_column, with_epoch, with_state
from tests.invariants.traces import fit_trace, pipeline

REPLAY = MatchesOracleSpec(reference="replay")
FULL = MatchesOracleSpec(reference="full")
FOREIGN = {"import": "somewhere:metric"}
CLOSE = MatchesOracleSpec(reference="full", atol=1e-12, because="rounding")


class TestReference:
    """`matches_oracle` from the data alone."""

    @pytest.mark.parametrize("changes", CONFIGURATIONS)
    def test_healthy(self, changes: dict[str, Any]) -> None:
        """A run of the documented model, loss and optimizer is predicted to the last digits."""
        spec = pipeline(**changes)
        assert violation(CLOSE, spec, fit_trace(spec)) is None

    def test_loop_of_ones_own(self) -> None:
        """A loop that weighs no classes is predicted like a fit that weighs none."""
        spec = pipeline(training={"kind": "gradient_tape", "epochs": 2})
        assert violation(CLOSE, spec, fit_trace(pipeline())) is None

    def test_wrong_loss(self) -> None:
        """A loss that is one percent off is found at its step."""
        spec = pipeline()
        trace = fit_trace(spec)
        losses = np.array(trace.steps.loss)
        losses[2] *= 1.01
        found = violation(CLOSE, spec, replace(trace, steps=replace(trace.steps, loss=losses)))
        assert found is not None
        assert (found.step, found.where, found.check) == (2, "loss", "matches_oracle.full")

    def test_lost_loss_weight(self) -> None:
        """A loss that is trained on whole, though it is to weigh half, is found at once."""
        spec = pipeline(compile={"loss_weights": [0.5]})
        found = violation(CLOSE, spec, fit_trace(pipeline()))
        assert found is not None
        assert (found.step, found.where) == (0, "loss")
        assert float(found.got) == pytest.approx(2.0 * float(found.expected))

    def test_wrong_gradient(self) -> None:
        """A backward pass that is wrong shows in the weights, where a replay sees nothing."""
        spec = pipeline()
        trace = fit_trace(spec, spoiled={3: 0.5})
        assert violation(REPLAY, spec, trace) is None
        found = violation(CLOSE, spec, trace)
        assert found is not None
        assert (found.step, found.where) == (3, "dense_0/kernel[0, 0]")

    def test_wrong_penalty(self) -> None:
        """A penalty that costs what another one costs shows in the first loss."""
        trace = fit_trace(pipeline(model__kernel_regularizer={"kind": "l1", "l1": 0.25}))
        found = violation(
            CLOSE, pipeline(model__kernel_regularizer={"kind": "l2", "l2": 0.25}), trace
        )
        assert found is not None
        assert (found.step, found.where) == (0, "loss")

    def test_wrong_order(self) -> None:
        """Other examples than those recorded give other losses."""
        spec = pipeline()
        trace = fit_trace(spec)
        assert trace.steps.sample_ids is not None
        samples = (trace.steps.sample_ids[1], *trace.steps.sample_ids[1:])
        found = violation(
            CLOSE, spec, replace(trace, steps=replace(trace.steps, sample_ids=samples))
        )
        assert found is not None
        assert found.step == 0

    def test_wrong_log(self) -> None:
        """A logged loss that is not the mean over the examples is found."""
        spec = pipeline()
        trace = with_epoch(fit_trace(spec), 1, logs={"loss": 0.25})
        found = violation(CLOSE, spec, trace)
        assert found is not None
        assert (found.epoch, found.step, found.got) == (1, None, "0.25")

    def test_wrong_metric(self) -> None:
        """A metric that is not that of all samples, each with the weights it met, is found."""
        spec = pipeline(metrics=["mean_absolute_error", "auc", {"kind": "import", **FOREIGN}])
        trace = fit_trace(spec)
        logs = {**trace.epochs[1].logs, "mean_absolute_error": 0.25, "auc": 0.5}
        trace = with_epoch(trace, 1, logs=logs)
        found = violation(CLOSE, spec, trace)
        assert found is not None
        assert (found.epoch, found.where, found.got) == (1, "mean_absolute_error", "0.25")
        steps = trace.epochs[1].rows
        assert trace.steps.loss is not None
        assert float(found.expected) > 0
        right = with_epoch(trace, 1, logs={**logs, "mean_absolute_error": float(found.expected)})
        found = violation(CLOSE, spec, right)
        assert found is None or found.where == "auc"
        assert steps.stop > steps.start

    def test_wrong_slot(self) -> None:
        """A slot that is one percent off is found, before it has moved a weight."""
        spec = pipeline(optimizer={"kind": "sgd", "learning_rate": 0.125, "momentum": 0.5})
        trace = fit_trace(spec)
        assert trace.state is not None
        path = trace.state.paths("slot")[0]
        found = violation(CLOSE, spec, with_state(trace, path, 9.0, step=1))
        assert found is not None
        assert (found.step, found.where) == (1, f"{path}[0, 0]")

    def test_scripted_log(self) -> None:
        """A log that is scripted or absent is not predicted."""
        callback = {"kind": "early_stopping", "monitor": "loss", "scripted": True, "script": [9.0]}
        spec = pipeline(callbacks=[callback], training__epochs=3)
        trace = with_epoch(fit_trace(spec), 0, logs={"loss": 9.0})
        trace = with_epoch(trace, 1, logs={})
        trace = with_epoch(trace, 2, steps=0, first_step=9, stop_step=9)
        assert violation(CLOSE, spec, trace) is None

    def test_wrong_final_weights(self) -> None:
        """Weights that change after the last step are found."""
        spec = pipeline()
        trace = with_state(fit_trace(spec), "dense_1/kernel", 9.0, part="final")
        found = violation(CLOSE, spec, trace)
        assert found is not None
        assert found.message.startswith("after training: dense_1/kernel[0, 0] is 9")

    def test_overflow(self) -> None:
        """A run that overflows when it is predicted to has been predicted."""
        spec = pipeline(optimizer={"kind": "sgd", "learning_rate": 1e300})
        trace = fit_trace(spec)
        assert trace.steps.loss is not None
        assert not np.isfinite(trace.steps.loss[1])
        assert violation(CLOSE, spec, with_column(trace, "loss", 1, np.nan)) is None
        assert violation(CLOSE, spec, with_column(trace, "loss", 1, 1.0)) is not None

    def test_own_losses(self) -> None:
        """The losses of the texts are predicted with their own arguments."""
        spec = pipeline(loss={"kind": "weighted_mse", "under_weight": 1.0})
        assert violation(CLOSE, spec, fit_trace(pipeline())) is None
        spec = pipeline(loss={"kind": "weighted_mse", "under_weight": 2.0})
        assert violation(CLOSE, spec, fit_trace(pipeline())) is not None

    def test_no_step(self) -> None:
        """A run without a step leaves the weights as they were."""
        spec = pipeline()
        trace = until(fit_trace(spec), 0, StopReason.CALLBACK_ERROR)
        assert violation(FULL, spec, trace) is None

    def test_schedule(self) -> None:
        """The rate is that of the schedule, not the recorded one."""
        schedule = {
            "kind": "piecewise_constant_decay",
            "boundaries": [2],
            "values": [0.125, 0.0625],
        }
        spec = pipeline(optimizer__learning_rate=schedule)
        trace = fit_trace(pipeline())
        found = violation(CLOSE, spec, fit_trace(pipeline(), rates={0: 0.125, 1: 0.0625}))
        assert found is None
        found = violation(CLOSE, spec, trace)
        assert found is not None
        assert found.step == 3

    @pytest.mark.parametrize(
        "changes",
        [
            {"model": {"kind": "lstm"}},
            {"model__batch_norm": True},
            {"model__dropout": 0.5},
            {"model__units": [3, 2, 1]},
            {"model__between": [{"kind": "layer_normalization"}]},
            {"loss": {"kind": "import", "import": "mine:loss"}},
            {"loss": "hinge"},
            {"loss": {"kind": "binary_crossentropy", "axis": 0}},
            {"loss": {"kind": "sparse_categorical_crossentropy", "ignore_class": 0}},
        ],
    )
    def test_unpredictable(self, changes: dict[str, Any]) -> None:
        """What is random, unknown or the user's own can't be predicted."""
        with pytest.raises(NothingToJudge):
            violation(FULL, pipeline(**changes), fit_trace(pipeline()))

    def test_unknown_examples(self) -> None:
        """A run on unknown examples can't be predicted."""
        spec = pipeline()
        trace = fit_trace(spec)
        trace = replace(trace, steps=replace(trace.steps, sample_ids=((-1,),) * 6))
        with pytest.raises(NothingToJudge, match="examples must be identified"):
            violation(FULL, spec, trace)


class TestWeighted:
    """Weights of examples and classes in the full reference."""

    def with_weights(self, weights: Any, targets: Any = None) -> Trace:
        """Return a run whose examples have weights that it did not use."""
        trace = fit_trace(pipeline())
        examples = trace.examples
        assert examples is not None
        table = replace(examples, sample_weight=weights)
        if targets is not None:
            table = replace(table, targets=targets)
        return replace(trace, examples=table)

    def test_sample_weight(self) -> None:
        """Weights of one change nothing, others do."""
        spec = pipeline()
        assert violation(CLOSE, spec, self.with_weights(np.ones(10))) is None
        found = violation(CLOSE, spec, self.with_weights(np.arange(10.0)))
        assert found is not None
        assert found.step == 0

    @pytest.mark.parametrize("shape", [(10,), (10, 1)])
    def test_class_weight(self, shape: tuple[int, ...]) -> None:
        """A class weight weighs the examples of its class."""
        targets = (np.arange(10) % 2).reshape(shape)
        weights = pipeline(training__class_weight=[1.0, 3.0])
        trace = self.with_weights(None, targets)
        plain = violation(CLOSE, pipeline(), trace)
        found = violation(CLOSE, weights, trace)
        by_sample = violation(
            CLOSE, pipeline(), self.with_weights(np.where(np.arange(10) % 2, 3.0, 1.0), targets)
        )
        assert plain is not None
        assert found is not None
        assert by_sample is not None
        assert found.expected == by_sample.expected != plain.expected

    def test_class_weight_of_one_hot(self) -> None:
        """The class of a one-hot target is its largest column."""
        spec = pipeline(model__units=[3, 2], training__class_weight=[1.0, 1.0])
        trace = fit_trace(pipeline(model__units=[3, 2]))
        assert violation(CLOSE, spec, trace) is None


class TestValidation:
    """The validation loss in the full reference."""

    def trace(self, spec: PipelineSpec, **parts: Any) -> Trace:
        """Return a healthy run with held-out examples, the right validation loss unknown."""
        trace = fit_trace(pipeline(), logs=[{"val_loss": 0.5}, {"val_loss": 0.5}])
        assert trace.examples is not None
        held = {
            "validation_inputs": np.ones((3, 2)),
            "validation_targets": np.ones((3, 1)),
        }
        examples: ExampleTable = replace(trace.examples, **(held | parts))
        return replace(trace, examples=examples, pipeline=spec.model_dump_json())

    def test_validation_loss(self) -> None:
        """A validation loss that is not that of the epoch's weights is found."""
        spec = pipeline(validation={"split": 0.25})
        found = violation(CLOSE, spec, self.trace(spec))
        assert found is not None
        assert (found.epoch, found.where, found.got) == (0, "val_loss", "0.5")
        right = self.trace(spec)
        for epoch in range(2):
            wrong = violation(CLOSE, spec, right)
            assert wrong is not None
            logs = {**right.epochs[epoch].logs, "val_loss": float(wrong.expected)}
            right = with_epoch(right, epoch, logs=logs)
        assert violation(CLOSE, spec, right) is None

    def test_validation_steps(self) -> None:
        """Only as many batches as asked for are evaluated."""
        whole = pipeline(validation={"split": 0.25})
        part = pipeline(validation={"split": 0.25, "batch_size": 1, "validation_steps": 1})
        targets = np.arange(3.0).reshape(3, 1)
        of_whole = violation(CLOSE, whole, self.trace(whole, validation_targets=targets))
        of_part = violation(CLOSE, part, self.trace(part, validation_targets=targets))
        assert of_whole is not None
        assert of_part is not None
        assert of_whole.expected != of_part.expected

    def test_validation_weights(self) -> None:
        """Weights of held-out examples count in their loss."""
        spec = pipeline(validation={"split": 0.25})
        targets = np.arange(3.0).reshape(3, 1)
        plain = self.trace(spec, validation_targets=targets)
        weights = np.array([0.0, 2.0, 1.0])
        weighted = self.trace(spec, validation_targets=targets, validation_sample_weight=weights)
        of_plain, of_weighted = violation(CLOSE, spec, plain), violation(CLOSE, spec, weighted)
        assert of_plain is not None
        assert of_weighted is not None
        assert of_plain.expected != of_weighted.expected

    @pytest.mark.parametrize(
        ("changes", "parts"),
        [
            ({}, {}),
            ({"validation": {"split": 0.25}}, {"validation_inputs": None}),
            (
                {
                    "validation": {"split": 0.25},
                    "callbacks": [{"kind": "swap_ema_weights"}],
                },
                {},
            ),
        ],
    )
    def test_unpredictable(self, changes: dict[str, Any], parts: dict[str, Any]) -> None:
        """Without held-out examples, or with swapped weights, nothing is said."""
        spec = pipeline(**changes)
        assert violation(CLOSE, spec, self.trace(spec, **parts)) is None
