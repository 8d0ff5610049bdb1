"""Counting steps without building the run."""

from hypothesis import given
from hypothesis import strategies as st

from harness.oracles.counting import plan_run
from harness.preflight import Plan, SourcePlan
from harness.preflight.counting import evaluations, shortfall, total_steps, validations

_small = st.integers(1, 9)
DATA = SourcePlan(kind="arrays", batches=2)


@given(batches=_small, steps=_small, first=st.integers(0, 3), epochs=_small, one_shot=st.booleans())
def test_steps_are_those_of_the_oracle(
    batches: int, steps: int, first: int, epochs: int, *, one_shot: bool
) -> None:
    """The oracle for real runs and the count before them agree on the first epoch that is short."""
    oracle = plan_run(
        [1] * batches,
        epochs=first + epochs,
        initial_epoch=first,
        steps_per_epoch=steps,
        one_shot=one_shot,
    )
    short = shortfall(
        Plan(
            epochs=first + epochs,
            initial_epoch=first,
            steps_per_epoch=steps,
            source=SourcePlan(kind="generator" if one_shot else "arrays", batches=batches),
        )
    )

    assert oracle.exhausted_epoch == (None if short is None else short.epoch)
    if short is not None:
        assert (short.total, short.steps) == (
            oracle.steps,
            oracle.epochs[short.epoch - first].steps,
        )


def test_what_nobody_knows_is_not_counted() -> None:
    """No step count and no number of batches: no number."""
    endless = SourcePlan(kind="dataset", infinite=True)

    assert total_steps(Plan(epochs=3)) is None
    assert total_steps(Plan(epochs=3, steps_per_epoch=2)) == 6
    assert total_steps(Plan(epochs=3, source=DATA)) == 6
    assert shortfall(Plan(epochs=3, steps_per_epoch=2)) is None
    assert shortfall(Plan(epochs=3, source=DATA)) is None
    assert shortfall(Plan(epochs=3, steps_per_epoch=2, source=endless)) is None


@given(
    first=st.integers(0, 5),
    epochs=st.integers(0, 30),
    frequency=_small | st.lists(_small, max_size=3).map(tuple),
    start=st.integers(0, 9),
)
def test_evaluations_follow_the_frequency(
    first: int, epochs: int, frequency: int | tuple[int, ...], start: int
) -> None:
    """Epochs count from 1 for it, from 0 elsewhere."""
    plan = Plan(epochs=epochs, initial_epoch=first, validation=DATA, validation_freq=frequency)
    run = [epoch for epoch in range(first, epochs) if epoch >= start]
    due = [
        epoch
        for epoch in run
        if ((epoch + 1) % frequency == 0 if isinstance(frequency, int) else epoch + 1 in frequency)
    ]

    assert validations(plan, start) == len(due) == evaluations(plan, "val_loss", start)
    assert evaluations(plan, "loss", start) == len(run)


def test_scripts_are_seen_in_every_epoch() -> None:
    """A key that comes from elsewhere needs no validation."""
    assert evaluations(Plan(epochs=2, other_logs=("val_loss",)), "val_loss") == 2
    assert evaluations(Plan(epochs=2), "val_loss") == 0
