"""Counting steps without building the run."""

from hypothesis import given
from hypothesis import strategies as st

from harness.oracles.counting import plan_run
from harness.preflight import Plan, SourcePlan
from harness.preflight.counting import due_epochs, evaluations, possible_steps, total_steps

_small = st.integers(1, 9)


@given(batches=_small, steps=st.none() | _small, epochs=_small, one_shot=st.booleans())
def test_steps_are_those_of_the_oracle(
    batches: int, steps: int | None, epochs: int, *, one_shot: bool
) -> None:
    """The oracle for real runs and the count before them agree in every epoch."""
    oracle = plan_run([1] * batches, epochs=epochs, steps_per_epoch=steps, one_shot=one_shot)
    source = SourcePlan(kind="generator" if one_shot else "arrays", batches=batches)
    plan = Plan(epochs=epochs, steps_per_epoch=steps, source=source)

    assert possible_steps(plan) == tuple(epoch.steps for epoch in oracle.epochs)
    assert total_steps(plan) == oracle.planned_steps


def test_what_nobody_knows_is_not_counted() -> None:
    """No step count and no number of batches: no number."""
    assert total_steps(Plan(epochs=3)) is None
    assert possible_steps(Plan(epochs=3, steps_per_epoch=2)) is None
    endless = SourcePlan(kind="dataset", infinite=True)
    assert possible_steps(Plan(epochs=3, steps_per_epoch=2, source=endless)) is None
    assert total_steps(Plan(epochs=3, steps_per_epoch=2)) == 6


def test_evaluations_follow_the_frequency() -> None:
    """Epochs count from 1 for it, from 0 elsewhere."""
    data = SourcePlan(kind="arrays", batches=2)
    every_third = Plan(epochs=10, initial_epoch=2, validation=data, validation_freq=3)

    assert due_epochs(every_third) == (2, 5, 8)
    assert due_epochs(Plan(epochs=10, validation=data, validation_freq=(1, 4, 99))) == (0, 3)
    assert due_epochs(Plan(epochs=10)) == ()
    assert evaluations(every_third, "val_loss") == (2, 5, 8)
    assert evaluations(every_third, "loss") == tuple(range(2, 10))
    scripted = Plan(epochs=2, other_logs=("val_loss",))
    assert evaluations(scripted, "val_loss") == (0, 1)
