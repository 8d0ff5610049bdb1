"""Two traces to the first wrong step."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.errors import HarnessUsageError
from harness.trace import QUANTITIES, StateTable, StopReason, Trace, VariableInfo, compare_traces

Maker = Callable[..., Trace]


def sentences(got: Trace, expected: Trace, *quantities: str, **tolerance: float) -> list[str]:
    """Return what a person reads."""
    found = compare_traces(got, expected, quantities=quantities, **tolerance)
    return [mismatch.sentence() for mismatch in found]


def with_column(trace: Trace, name: str, step: int, value: float) -> Trace:
    """Return the trace with one value of the step table changed."""
    column: Any = np.array(trace.steps.column(name))
    column[step] = value
    return replace(trace, steps=replace(trace.steps, **{name: column}))


def with_state(trace: Trace, part: str, index: tuple[int, ...], change: float) -> Trace:
    """Return the trace with one value of the state table shifted."""
    state = require_state(trace)
    values: Any = np.array(getattr(state, part))
    values[index] += change
    return replace(trace, state=replace(state, **{part: values}))


def require_state(trace: Trace) -> StateTable:
    """Return the state table, which must be there."""
    assert trace.state is not None
    return trace.state


def renamed(trace: Trace, suffix: str) -> Trace:
    """Return the trace of a second model, in which every path has another number."""
    state = require_state(trace)
    variables = tuple(replace(info, path=info.path + suffix) for info in state.variables)
    return replace(trace, state=replace(state, variables=variables))


def shortened(trace: Trace, rows: int) -> Trace:
    """Return the trace as it would be after fewer steps."""
    steps, state = trace.steps, require_state(trace)
    columns: dict[str, Any] = {name: getattr(steps, name)[:rows] for name in steps.recorded}
    return replace(
        trace,
        steps=replace(steps, **columns),
        epochs=trace.epochs[: rows // 2],
        state=replace(state, before=state.before[:rows], after=state.after[:rows]),
        gradients=None,
    )


def test_equal_traces_have_no_mismatch(trace: Trace) -> None:
    """All quantities at once agree with themselves."""
    assert compare_traces(trace, trace, quantities=QUANTITIES) == ()


def test_quantities_are_those_of_the_docstring() -> None:
    """The names are a public promise."""
    assert set(QUANTITIES) == {
        "steps",
        "losses",
        "learning_rates",
        "iterations",
        "gradient_norms",
        "samples",
        "weights",
        "slots",
        "counters",
        "state",
        "logs",
        "stop",
        "predictions",
        "evaluation",
    }


def test_unknown_quantity_is_refused(trace: Trace) -> None:
    """The message lists what there is."""
    with pytest.raises(HarnessUsageError, match=r"must be among steps, .*, got 'wieghts'"):
        compare_traces(trace, trace, quantities=["wieghts"])


def test_tolerance_must_not_be_negative(trace: Trace) -> None:
    """Also where nothing is compared."""
    with pytest.raises(HarnessUsageError, match=r"atol must be at least 0, got -1\.0"):
        compare_traces(trace, trace, quantities=(), atol=-1.0)


@pytest.mark.parametrize(
    ("quantity", "column"),
    [
        ("steps", "batch"),
        ("steps", "batch_size"),
        ("steps", "updated"),
        ("losses", "loss"),
        ("learning_rates", "learning_rate"),
        ("iterations", "iterations_after"),
        ("gradient_norms", "gradient_norm"),
        ("gradient_norms", "clipped_norm"),
    ],
)
def test_changed_column_is_found(trace: Trace, quantity: str, column: str) -> None:
    """Each quantity watches its columns."""
    got = with_column(trace, column, 2, 0)
    got = with_column(got, column, 3, 0)
    expected = with_column(trace, column, 2, 1)
    (mismatch,) = compare_traces(got, expected, quantities=[quantity])
    assert (mismatch.step, mismatch.epoch, mismatch.where) == (2, 1, column)


def test_tolerance_is_for_computed_numbers_only(trace: Trace) -> None:
    """Losses may differ by rounding, counts may not."""
    assert sentences(with_column(trace, "loss", 0, 1.25), trace, "losses", atol=0.5) == []
    assert sentences(with_column(trace, "batch", 0, 1), trace, "steps", atol=5.0) == [
        "step 0 (epoch 0): batch is 1, expected 0, allowed ±0 (1 of 4 values differ)"
    ]


def test_unobserved_updates_are_not_compared(trace: Trace) -> None:
    """A trace that did not look cannot contradict."""
    assert sentences(with_column(trace, "updated", 1, -1), trace, "steps") == []


def test_optional_columns_are_compared_where_both_have_them(trace: Trace) -> None:
    """The batch size is no condition for comparing steps."""
    got = replace(trace, steps=replace(trace.steps, batch_size=None, updated=None))
    assert sentences(got, trace, "steps") == []


def test_mismatches_are_ordered_by_time(trace: Trace) -> None:
    """Whatever the order of quantities, the first wrong step comes first."""
    got = with_column(trace, "loss", 3, 9.0)
    got = with_column(got, "learning_rate", 1, 0.5)
    got = with_state(got, "after", (1, 4), 0.5)
    got = with_state(got, "before", (2, 4), 0.5)
    got = with_state(got, "final", (15,), 1.0)
    got = replace(got, evaluation={"loss": 0.5})
    assert sentences(got, trace, "evaluation", "losses", "state", "learning_rates") == [
        "step 1 (epoch 0): learning_rate is 0.5, expected 0.1, allowed ±0 (1 of 4 values differ)",
        (
            "step 1 (epoch 0): dense/kernel[1, 1] is 6.5, expected 6, allowed ±0 "
            "(1 of 6 values differ)"
        ),
        "step 3 (epoch 1): loss is 9, expected 0.125, allowed ±0 (1 of 4 values differ)",
        "evaluation: loss is 0.5, expected 0.1, allowed ±0",
        "after training: sgd/iteration is 20, expected 19, allowed ±0",
    ]


def test_state_before_a_step_comes_before_the_step(trace: Trace) -> None:
    """Weights that changed between two steps are wrong before the second one."""
    got = with_state(with_column(trace, "loss", 2, 9.0), "before", (2, 6), 1.0)
    assert sentences(got, trace, "losses", "weights") == [
        (
            "before step 2 (epoch 1): dense/bias[0] is 9, expected 8, allowed ±0 "
            "(1 of 3 values differ)"
        ),
        "step 2 (epoch 1): loss is 9, expected 0.25, allowed ±0 (1 of 4 values differ)",
    ]


def test_initial_state_comes_first_of_all(trace: Trace) -> None:
    """Other initial weights explain all that follows."""
    got = with_state(with_column(trace, "loss", 0, 9.0), "initial", (0,), 1.0)
    assert sentences(got, trace, "losses", "weights")[0] == (
        "before training: dense/kernel[0, 0] is 1, expected 0, allowed ±0 (1 of 6 values differ)"
    )


@pytest.mark.parametrize(
    ("quantity", "column", "where"),
    [
        ("weights", 0, "dense/kernel"),
        ("slots", 9, "sgd/dense_kernel_momentum"),
        ("counters", 15, "sgd/iteration"),
    ],
)
def test_quantities_of_the_state(trace: Trace, quantity: str, column: int, where: str) -> None:
    """Each quantity watches the variables of its roles, and no others."""
    got = with_state(trace, "after", (1, column), 1.0)
    found = {
        name: [mismatch.where for mismatch in compare_traces(got, trace, quantities=[name])]
        for name in ("weights", "slots", "counters", "state")
    }
    expected: dict[str, list[str]] = {"weights": [], "slots": [], "counters": [], "state": [where]}
    assert found == expected | {quantity: [where]}


def test_variable_is_reported_once(trace: Trace) -> None:
    """Overlapping quantities do not repeat a variable."""
    got = with_state(trace, "after", (1, 0), 1.0)
    found = compare_traces(got, trace, quantities=["weights", "state"])
    assert [mismatch.quantity for mismatch in found] == ["weights"]


def test_tolerance_does_not_hold_for_counters(trace: Trace) -> None:
    """Weights may differ by rounding, the iteration may not."""
    got = with_state(with_state(trace, "after", (1, 0), 0.5), "after", (1, 15), 0.5)
    found = compare_traces(got, trace, quantities=["state"], atol=1.0)
    assert [mismatch.where for mismatch in found] == ["sgd/iteration"]


def test_paths_do_not_matter(trace: Trace) -> None:
    """A second model of the same build is compared although its layers are numbered on."""
    assert sentences(renamed(trace, "_1"), trace, "state") == []
    got = with_state(renamed(trace, "_1"), "after", (1, 7), 1.0)
    assert compare_traces(got, trace, quantities=["state"])[0].where == "dense/bias"


def with_variable(trace: Trace, variable: VariableInfo) -> Trace:
    """Return the trace with one more variable, of zeros."""
    state = require_state(trace)
    zeros = np.zeros((len(state), variable.size))
    return replace(
        trace,
        state=StateTable(
            variables=(*state.variables, variable),
            initial=np.append(state.initial, zeros[0]),
            before=np.hstack([state.before, zeros]),
            after=np.hstack([state.after, zeros]),
            final=np.append(state.final, zeros[0]),
        ),
    )


@pytest.mark.parametrize(
    ("role", "slot", "name"),
    [("trainable", None, "trainable"), ("slot", "velocity", "slot velocity")],
)
def test_one_variable_more(trace: Trace, role: str, slot: str | None, name: str) -> None:
    """A variable that only one trace has is a mismatch before training."""
    extra = VariableInfo(path="w", shape=(2,), dtype="float32", role=role, slot=slot)
    counts = (len(require_state(trace).paths(role)), 0)[slot is not None]
    more = with_variable(trace, extra)
    where = f"number of {name} variables"
    assert sentences(more, trace, "state") == [
        f"state: {where} is {counts + 1}, expected {counts}, allowed ±0"
    ]
    assert sentences(trace, more, "state") == [
        f"state: {where} is {counts}, expected {counts + 1}, allowed ±0"
    ]


def test_other_shape_of_a_variable(trace: Trace) -> None:
    """A variable of another shape is a mismatch, and is not compared further."""
    variables = [
        VariableInfo(path="w", shape=shape, dtype="float32", role="average")
        for shape in ((2,), (1, 2))
    ]
    first, second = (with_variable(trace, variable) for variable in variables)
    assert sentences(first, second, "slots") == ["slots: w is shape (2,), expected shape (1, 2)"]


def test_fewer_steps(trace: Trace) -> None:
    """Different numbers of steps are one mismatch, where only one trace has a step."""
    sentence = "step 3 (epoch 1): number of steps is 3, expected 4, allowed ±0"
    for quantity in ("steps", "losses", "samples", "state"):
        assert sentences(shortened(trace, 3), trace, quantity) == [sentence]
    assert sentences(trace, shortened(trace, 3), "losses", "weights") == [
        "step 3 (epoch 1): number of steps is 4, expected 3, allowed ±0"
    ]


def test_number_of_steps_is_not_compared_with_logs(trace: Trace) -> None:
    """Quantities that do not belong to steps say nothing of their number."""
    assert sentences(shortened(trace, 3), trace, "evaluation") == []


def test_other_samples(trace: Trace) -> None:
    """The first step with another batch is named, with the place in the batch."""
    samples = ((0, 1), (2,), (1, 0), (1,))
    got = replace(trace, steps=replace(trace.steps, sample_ids=samples))
    assert sentences(got, trace, "samples") == [
        "step 2 (epoch 1): sample_ids[1] is 0, expected 2, allowed ±0 (1 of 2 values differ)"
    ]


def test_batch_of_other_size(trace: Trace) -> None:
    """A batch with more samples differs in shape."""
    samples = ((0, 1, 2), (), (1, 2), (0,))
    got = replace(trace, steps=replace(trace.steps, sample_ids=samples))
    assert sentences(got, trace, "samples") == [
        "step 0 (epoch 0): sample_ids is shape (3), expected shape (2)"
    ]


def test_logs(make_trace: Maker, trace: Trace) -> None:
    """The first difference of each log is named, and a log that only one trace has."""
    first, second = trace.epochs
    got = make_trace(
        epochs=(
            replace(first, logs={"loss": 0.75, "val_loss": 7.0}),
            replace(second, logs={"val_loss": 8.0, "lr": 1.0}),
        )
    )
    assert sentences(got, trace, "logs") == [
        "epoch 0: val_loss is 7, expected 1, allowed ±0",
        "epoch 1: loss is absent, expected 0.375",
        "epoch 1: lr is 1, expected absent",
    ]


def test_number_of_epochs(trace: Trace) -> None:
    """An epoch that only one trace has is named."""
    got = replace(trace, epochs=trace.epochs[:1])
    assert sentences(got, trace, "logs") == [
        "epoch 1: number of epochs is 1, expected 2, allowed ±0"
    ]


def test_log_of_an_epoch_comes_after_its_steps(trace: Trace) -> None:
    """Logs are written when the epoch ends."""
    first, second = trace.epochs
    got = replace(trace, epochs=(replace(first, logs={"loss": 9.0, "val_loss": 1.0}), second))
    got = with_column(with_column(got, "loss", 1, 9.0), "learning_rate", 2, 9.0)
    found = compare_traces(got, trace, quantities=["logs", "learning_rates", "losses"])
    assert [mismatch.quantity for mismatch in found] == ["losses", "logs", "learning_rates"]


def test_stop(trace: Trace) -> None:
    """Reason and place of the stop are compared, its evidence is not."""
    stop = replace(trace.stop, evidence="other words")
    assert sentences(replace(trace, stop=stop), trace, "stop") == []
    got = replace(trace, stop=replace(stop, reason=StopReason.KILLED, step=2, epoch=None))
    assert sentences(got, trace, "stop") == [
        "stop: reason is killed, expected completed",
        "stop: epoch is absent, expected 1",
        "stop: step is 2, expected 3",
    ]


def test_predictions(make_trace: Maker, trace: Trace) -> None:
    """Predictions are compared value by value."""
    assert trace.predictions is not None
    got = make_trace(predictions=trace.predictions + np.float32(0.5))
    assert sentences(got, trace, "predictions", atol=0.5) == []
    assert sentences(got, trace, "predictions") == [
        "predictions[0, 0] is 0.5, expected 0, allowed ±0 (6 of 6 values differ)"
    ]


def test_traces_without_steps(trace: Trace) -> None:
    """Two runs that never trained agree."""
    empty = shortened(trace, 0)
    assert sentences(empty, empty, "steps", "gradient_norms", "state", "samples") == []


def test_optimizer_without_slots(trace: Trace) -> None:
    """Plain SGD has no slots, so that there is nothing to compare."""
    state = require_state(trace)
    bare = replace(
        trace,
        state=StateTable(
            variables=state.variables[:2],
            initial=state.initial[:9],
            before=state.before[:, :9],
            after=state.after[:, :9],
            final=state.final[:9],
        ),
    )
    assert sentences(bare, bare, "slots", "weights") == []
