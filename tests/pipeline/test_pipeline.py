from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.pipeline.inputs import Inputs, build_after, build_inputs
from harness.pipeline.loops import train
from harness.pipeline.numerics import numerics
from harness.pipeline.observer import Unobserved
from harness.pipeline.pipeline import TrainingPipeline
from harness.spec.pipeline import PipelineSpec


def spec_of(**tables: Any) -> PipelineSpec:
    """Return a spec of tables."""
    return PipelineSpec.model_validate(tables)


def built(spec: PipelineSpec) -> tuple[TrainingPipeline, Inputs]:
    """Return an unobserved pipeline and its data."""
    inputs = build_inputs(spec)
    return TrainingPipeline(spec, inputs.examples, Unobserved()), inputs


def values(pipeline: TrainingPipeline) -> list[Any]:
    """Return all variables as lists."""
    return [variable.numpy().tolist() for variable in pipeline.variables]


@pytest.mark.parametrize(
    "tables",
    [
        {"model": {"kind": "mlp", "batch_norm": True, "dropout": 0.5}, "optimizer": "adam"},
        {"training": {"kind": "gradient_tape"}, "optimizer": {"kind": "sgd", "use_ema": True}},
        {
            "model": {"kind": "variables"},
            "training": {"kind": "apply_gradients", "gradients": [[1.0] * 5]},
        },
    ],
)
def test_reset_undoes_a_training(tables: dict[str, Any]) -> None:
    """Weights, slots, averages, counters, statistics and dropout seeds are as they were."""
    spec = spec_of(**tables)
    with numerics(spec):
        pipeline, inputs = built(spec)
        before = values(pipeline)
        train(pipeline, spec, inputs, [], Unobserved())
        assert values(pipeline) != before
        pipeline.reset(spec)
        assert values(pipeline) == before


def test_reset_takes_over_rate_and_initial_values() -> None:
    """They are values, not structure."""
    tables: dict[str, Any] = {"training": {"kind": "apply_gradients", "gradients": [[0.0] * 2]}}
    spec = spec_of(model={"kind": "variables", "shapes": [[2]]}, **tables)
    other = spec_of(
        model={"kind": "variables", "shapes": [[2]], "initial": [3.0, 4.0]},
        optimizer={"kind": "sgd", "learning_rate": 0.5},
        **tables,
    )
    with numerics(spec):
        pipeline, _ = built(spec)
        pipeline.reset(other)
        assert pipeline.trainable[0].numpy().tolist() == [3.0, 4.0]
        assert float(pipeline.optimizer.learning_rate.numpy()) == 0.5
        pipeline.reset(spec)
        assert pipeline.trainable[0].numpy().tolist() == [1.0, 1.0]


def test_evaluate_and_predict_see_all_examples() -> None:
    """The loss that Keras reports is that of its own predictions."""
    spec = spec_of(data={"kind": "linear_regression", "examples": 20, "batch_size": 8})
    with numerics(spec):
        pipeline, inputs = built(spec)
        assert inputs.examples is not None
        predictions = pipeline.predict(spec, build_after(spec, inputs.examples))
        logs = pipeline.evaluate(spec, build_after(spec, inputs.examples))
    assert predictions.shape == (20, 1)
    error = ((predictions - inputs.examples.targets) ** 2).mean()
    # Float32 means over 20 errors of order 1.
    assert logs == {"loss": pytest.approx(error, rel=1e-6)}


def test_heads_are_predicted_side_by_side() -> None:
    """Two heads of one column each make two columns."""
    spec = spec_of(model={"kind": "multi_output"}, compile={"loss_weights": [1.0, 0.5]})
    with numerics(spec):
        pipeline, inputs = built(spec)
        assert inputs.examples is not None
        predictions = pipeline.predict(spec, build_after(spec, inputs.examples))
        logs = pipeline.evaluate(spec, build_after(spec, inputs.examples))
    errors = ((predictions - inputs.examples.targets) ** 2).mean(axis=0)
    assert logs["first_loss"] == pytest.approx(errors[0], rel=1e-5)
    assert logs["loss"] == pytest.approx(errors @ [1.0, 0.5], rel=1e-5)


def test_metrics_are_no_part_of_the_state() -> None:
    """Their sums would differ between a first and a second run."""
    spec = spec_of(metrics=["mean_absolute_error"])
    with numerics(spec):
        pipeline, _ = built(spec)
        names = [variable.path for variable in pipeline.variables]
    assert not any("absolute" in name or "loss" in name for name in names)
    assert len(names) == len(set(names)) == 6


def test_a_model_without_examples_is_a_mistake_of_ours() -> None:
    """As is a model that is to be driven with gradients."""
    with pytest.raises(TypeError, match="shape of its input"):
        TrainingPipeline(PipelineSpec(), None, Unobserved())


def test_driven_gradients_are_cut_in_order() -> None:
    """The flat row is first variable first."""
    spec = spec_of(
        model={"kind": "variables", "shapes": [[2], [1, 2]]},
        optimizer={"kind": "sgd", "learning_rate": 1.0},
        training={"kind": "apply_gradients", "gradients": [[1.0, 2.0, 3.0, 4.0]]},
    )
    with numerics(spec):
        pipeline, inputs = built(spec)
        train(pipeline, spec, inputs, [], Unobserved())
        moved = [1.0 - np.asarray(variable.numpy()) for variable in pipeline.trainable]
    assert [part.tolist() for part in moved] == [[1.0, 2.0], [[3.0, 4.0]]]


def test_reset_brings_the_first_optimizer_back() -> None:
    """A run that saved and loaded leaves nothing to the next one."""
    spec = spec_of(
        model={"kind": "variables"},
        optimizer={"kind": "sgd", "momentum": 0.5},
        training={
            "kind": "apply_gradients",
            "gradients": [[1.0] * 5] * 3,
            "save_and_load_after": 2,
        },
    )
    with numerics(spec):
        pipeline, inputs = built(spec)
        first, before = pipeline.optimizer, values(pipeline)
        train(pipeline, spec, inputs, [], Unobserved())
        assert pipeline.optimizer is not first
        after = values(pipeline)
        pipeline.reset(spec)
        assert pipeline.optimizer is first
        assert values(pipeline) == before
        train(pipeline, spec, inputs, [], Unobserved())
        assert values(pipeline) == after


def test_only_driven_pipelines_save_and_load() -> None:
    """Without a second optimizer there is nothing to go on with."""
    spec = spec_of(
        model={"kind": "variables"},
        training={"kind": "apply_gradients", "gradients": [[1.0] * 5]},
    )
    with numerics(spec):
        pipeline, _ = built(spec)
        with pytest.raises(TypeError, match="built without a second optimizer"):
            pipeline.save_and_load()
