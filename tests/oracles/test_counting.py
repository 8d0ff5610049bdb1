"""Steps and batches of a fit, from what is known about the source."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.oracles.arrays import ArgumentError
from harness.oracles.counting import RunPlan, batch_sizes, plan_run

SIZES = (5, 5, 3)


def steps(plan: RunPlan) -> list[int]:
    """Return the steps of each epoch."""
    return [epoch.steps for epoch in plan.epochs]


def test_batches_of_one_pass() -> None:
    """13 examples make 5 + 5 + 3; the rest may be dropped, the pass repeated."""
    assert batch_sizes(13, 5) == (5, 5, 3)
    assert batch_sizes(10, 5) == (5, 5)
    assert batch_sizes(13, 5, drop_remainder=True) == (5, 5)
    assert batch_sizes(13, 5, repeat=2) == (5, 5, 3, 5, 5, 3)


def test_each_epoch_is_a_pass() -> None:
    """Without `steps_per_epoch` every epoch sees every example once."""
    plan = plan_run(SIZES, epochs=4, initial_epoch=1)
    assert [epoch.epoch for epoch in plan.epochs] == [1, 2, 3]
    assert all(epoch.batch_sizes == SIZES for epoch in plan.epochs)
    assert [epoch.examples for epoch in plan.epochs] == [13, 13, 13]
    assert (plan.steps, plan.planned_steps, plan.exhausted_epoch) == (9, 9, None)


def test_steps_per_epoch_goes_on_where_the_last_epoch_ended() -> None:
    """Two steps at a time out of three: 2, then 1 and a warning, then a new pass."""
    plan = plan_run(SIZES, epochs=4, steps_per_epoch=2)
    assert [epoch.batch_sizes for epoch in plan.epochs] == [(5, 5), (3,), (5, 5), (3,)]
    assert [epoch.exhausted for epoch in plan.epochs] == [False, True, False, True]
    assert (plan.steps, plan.planned_steps, plan.exhausted_epoch) == (6, 8, 1)


def test_pass_that_ends_with_an_epoch_is_no_exhaustion() -> None:
    """A restartable source whose pass is exactly `steps_per_epoch` long never runs dry."""
    plan = plan_run(SIZES, epochs=3, steps_per_epoch=3)
    assert steps(plan) == [3, 3, 3]
    assert plan.exhausted_epoch is None


@pytest.mark.parametrize(
    ("steps_per_epoch", "expected"), [(None, [3, 0, 0]), (2, [2, 1, 0]), (7, [3, 0, 0])]
)
def test_one_shot_source_yields_its_batches_once(
    steps_per_epoch: int | None, expected: list[int]
) -> None:
    """A generator is never replayed: what it yielded is all there is."""
    plan = plan_run(SIZES, epochs=3, one_shot=True, steps_per_epoch=steps_per_epoch)
    assert steps(plan) == expected
    assert plan.exhausted_epoch == (0 if steps_per_epoch == 7 else 1)


def test_infinite_source_needs_steps_per_epoch() -> None:
    """With it, the pass repeats across epochs; without it the run would not end."""
    plan = plan_run(SIZES, epochs=2, steps_per_epoch=4, infinite=True)
    assert [epoch.batch_sizes for epoch in plan.epochs] == [(5, 5, 3, 5), (5, 3, 5, 5)]
    with pytest.raises(ArgumentError) as caught:
        plan_run(SIZES, infinite=True)
    assert str(caught.value) == (
        "steps_per_epoch must be given for an infinite source, got None. "
        "The first epoch would never end."
    )


@given(
    examples=st.integers(1, 40),
    batch=st.integers(1, 9),
    epochs=st.integers(0, 4),
    steps_per_epoch=st.one_of(st.none(), st.integers(1, 12)),
    steps_per_execution=st.integers(1, 8),
    one_shot=st.booleans(),
)
def test_steps_per_execution_never_changes_the_steps(
    *,
    examples: int,
    batch: int,
    epochs: int,
    steps_per_epoch: int | None,
    steps_per_execution: int,
    one_shot: bool,
) -> None:
    """It only bundles them; and no epoch has more steps than planned or than the source has."""
    sizes = batch_sizes(examples, batch)
    one, many = (
        plan_run(
            sizes,
            epochs=epochs,
            steps_per_epoch=steps_per_epoch,
            steps_per_execution=k,
            one_shot=one_shot,
        )
        for k in (1, steps_per_execution)
    )
    assert steps(one) == steps(many)
    assert one.steps <= one.planned_steps
    assert not one_shot or one.steps <= len(sizes)
    for plan in many.epochs:
        assert (
            plan.steps <= plan.executions * steps_per_execution < plan.steps + steps_per_execution
        )


@pytest.mark.parametrize("name", ["steps_per_epoch", "steps_per_execution"])
def test_counts_must_be_positive(name: str) -> None:
    """Zero is refused by name."""
    with pytest.raises(ArgumentError) as caught:
        plan_run(SIZES, **{name: 0})  # type: ignore[arg-type]
    assert str(caught.value) == f"{name} must be greater than 0, got 0."
    with pytest.raises(ArgumentError, match=r"^batch_size must be greater than 0, got 0\.$"):
        batch_sizes(10, 0)
