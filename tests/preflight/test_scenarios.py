"""Plans of scenarios: what the bundled ones break they break on purpose."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from harness.preflight import Plan, RatePlan, check, plan_of_spec
from harness.spec.loader import load_scenario
from harness.spec.pipeline import PipelineSpec
from tests.spec.tables import pipelines

ON_PURPOSE = {
    "accumulation/in_real_training": ["accumulation_left_over"],
    "callbacks/csv_log": ["patience_never_runs_out"],
    "compile/mixed_precision_keeps_state": ["float16_without_loss_scale"],
    "compile/steps_per_execution": ["steps_beyond_data"],
    "convergence/final_spike_by_partial_batch": ["tiny_last_batch"],
    "data_exhaustion/budget_of_a_pass": ["tiny_last_batch"],
    "data_exhaustion/exhaustion_is_reported": ["steps_beyond_data"],
    "data_exhaustion/shuffled_once": ["tiny_last_batch"],
    "distribution/skipped_on_all_replicas": ["loss_scale_without_float16"],
    "global_step/counter_under_accumulation": ["accumulation_left_over"],
    "loss_scaling/save_and_load": ["accumulation_left_over"],
}
"""What the first draw of each bundled scenario shows; each was looked at and is true."""

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def test_bundled_scenarios_break_what_they_are_about() -> None:
    """No false alarm in any of them, the complete example included."""
    found = {}
    for path in sorted(SCENARIOS.rglob("*.toml")):
        plan = plan_of_spec(load_scenario(path).base)
        if plan is not None and (findings := check(plan)):
            name = path.relative_to(SCENARIOS).with_suffix("").as_posix()
            found[name] = [finding.rule for finding in findings]

    assert found == ON_PURPOSE


@given(pipelines())
@settings(max_examples=50, suppress_health_check=list(HealthCheck))
def test_any_well_formed_pipeline_has_a_plan(pipeline: PipelineSpec) -> None:
    """Whatever a file may hold, looking at it does not fail."""
    plan = plan_of_spec(pipeline)

    assert plan is None or isinstance(check(plan), tuple)


def _plan(**tables: object) -> Plan:
    plan = plan_of_spec(PipelineSpec.model_validate(tables))
    assert plan is not None
    return plan


def test_updates_of_metrics_train_nothing() -> None:
    """Nothing is planned, so nothing can be wrong with it."""
    tables = {"data": {"kind": "predictions"}, "training": {"kind": "update_metrics"}}

    assert plan_of_spec(PipelineSpec.model_validate(tables)) is None


def test_batches_are_counted_behind_the_split() -> None:
    """Held-out examples are not trained on, a dropped remainder is no batch."""
    data = {"kind": "linear_regression", "examples": 100, "batch_size": 8, "source": "dataset"}
    plan = _plan(data=data, validation={"split": 0.25, "batch_size": 10})
    dropped = _plan(data={**data, "drop_remainder": True})

    assert (plan.source.batches, plan.source.examples, plan.source.last_batch) == (10, 75, 3)
    assert plan.validation is not None
    assert (plan.validation.batches, plan.validation.last_batch) == (3, 5)
    assert (dropped.source.batches, dropped.source.last_batch) == (12, 8)


def test_repeats_make_one_long_pass() -> None:
    """N copies of a pass have n times the batches; without end there is no number."""
    data = {"kind": "linear_regression", "examples": 16, "batch_size": 8, "source": "dataset"}
    twice, endless = _plan(data={**data, "repeat": 2}), _plan(data={**data, "repeat": 0})

    assert (twice.source.batches, twice.source.examples) == (4, None)
    assert (endless.source.batches, endless.source.infinite) == (None, True)


@pytest.mark.parametrize(
    ("training", "steps"),
    [
        ({"kind": "while_loop", "max_steps": 9}, None),
        ({"kind": "gradient_tape", "max_steps": 9}, None),
        ({"kind": "gradient_tape", "steps_per_epoch": 3}, 3),
        ({"kind": "apply_gradients", "gradients": [[1.0]] * 4}, 4),
    ],
)
def test_other_loops_have_a_plan(training: dict[str, object], steps: int | None) -> None:
    """A loop that is limited by its updates has no steps that could be counted before."""
    assert _plan(training=training).steps_per_epoch == steps


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (0.1, RatePlan()),
        ({"kind": "callable", "value": 0.1}, RatePlan(kind="callable")),
        (
            {
                "kind": "cosine_decay",
                "initial_learning_rate": 0.0,
                "decay_steps": 10,
                "warmup_target": 0.5,
                "warmup_steps": 4,
                "alpha": 0.5,
            },
            RatePlan(kind="schedule", name="cosine_decay", length=14, end=0.25, warmup=4),
        ),
        (
            {"kind": "cosine_decay", "initial_learning_rate": 1.0, "decay_steps": 10},
            RatePlan(kind="schedule", name="cosine_decay", length=10, end=0.0),
        ),
        (
            {"kind": "polynomial_decay", "initial_learning_rate": 1.0, "decay_steps": 10},
            RatePlan(kind="schedule", name="polynomial_decay", length=10, end=0.0001),
        ),
        (
            {
                "kind": "polynomial_decay",
                "initial_learning_rate": 1.0,
                "decay_steps": 10,
                "cycle": True,
            },
            RatePlan(kind="schedule", name="polynomial_decay"),
        ),
        (
            {"kind": "piecewise_constant_decay", "boundaries": [3, 7], "values": [3.0, 2.0, 1.0]},
            RatePlan(kind="schedule", name="piecewise_constant_decay", length=8, end=1.0),
        ),
        (
            {"kind": "warmup_cosine", "peak": 1.0, "warmup_steps": 2, "total_steps": 9},
            RatePlan(kind="schedule", name="warmup_cosine", length=9, end=0.0, warmup=2),
        ),
    ],
)
def test_schedules_have_a_length(rate: object, expected: RatePlan) -> None:
    """After how many steps the rate changes no more, and what it is then."""
    assert _plan(optimizer={"kind": "sgd", "learning_rate": rate}).optimizer.rate == expected


def test_loss_scales_are_told_apart() -> None:
    """One that moves by itself, one that stands still, none."""
    mixed = {"policy": "mixed_float16"}
    static = {"kind": "sgd", "loss_scale_factor": 8.0}

    assert _plan(precision=mixed).optimizer.loss_scale == "dynamic"
    assert _plan(precision={"loss_scale": {}}).optimizer.loss_scale == "dynamic"
    assert _plan(optimizer=static).optimizer.loss_scale == "static"
    assert _plan().optimizer.loss_scale is None


def test_nobody_knows_what_an_import_does() -> None:
    """A callback, an optimizer and a second fit of the user's own leave things unknown."""
    own = {"kind": "import", "import": "own.module:make"}
    earlier = {"kind": "fit", "earlier_fit": {"epochs": 1, "reset": False}}

    assert _plan(callbacks=[own]).callbacks[0].kinds == ()
    assert _plan(optimizer=own).optimizer.steps_done is None
    assert _plan(training=earlier).optimizer.steps_done is None


def test_a_drawn_pipeline_is_judged_like_any_other() -> None:
    """Text 004's schedule beside a patience that is longer than the training."""
    plan = _plan(
        data={"kind": "linear_regression", "examples": 64, "batch_size": 8},
        training={"kind": "fit", "epochs": 4, "class_weight": [1.0, 2.0]},
        callbacks=[{"kind": "early_stopping", "monitor": "loss", "patience": 4}],
        optimizer={
            "kind": "adam",
            "learning_rate": {
                "kind": "warmup_cosine",
                "peak": 1.0,
                "warmup_steps": 2,
                "total_steps": 4,
            },
        },
    )

    assert [found.rule for found in check(plan)] == [
        "patience_never_runs_out",
        "schedule_ends_early",
    ]
    assert plan.class_weight == (0, 1)
