"""Step, state, gradient and example tables, and epoch records."""

from dataclasses import replace

import numpy as np
import pytest

from harness.errors import HarnessUsageError, ShapeError
from harness.trace import ExampleTable, GradientTable, Recording, StepTable, Trace, VariableInfo
from harness.trace.state import StateTable


@pytest.fixture
def table(trace: Trace) -> StateTable:
    """Return the state table of the whole trace."""
    assert trace.state is not None
    return trace.state


@pytest.fixture
def gradients(trace: Trace) -> GradientTable:
    """Return the gradient table of the whole trace."""
    assert trace.gradients is not None
    return trace.gradients


def test_only_epoch_and_batch_are_required() -> None:
    """Everything else may be unrecorded."""
    table = StepTable(epoch=np.zeros(2, np.int64), batch=np.arange(2))
    assert table.recorded == {"epoch", "batch"}
    assert len(table) == 2


def test_columns_must_be_equally_long() -> None:
    """A short column is named."""
    with pytest.raises(ShapeError, match=r"loss must have shape \(2,\), got \(1,\)\."):
        StepTable(epoch=np.zeros(2, np.int64), batch=np.arange(2), loss=np.zeros(1))


def test_sample_rows_must_match(trace: Trace) -> None:
    """There is one tuple of samples a step."""
    with pytest.raises(ShapeError, match=r"sample_ids must have 4 rows, got 1\."):
        replace(trace.steps, sample_ids=((0,),))


def test_sample_ids_are_indices(trace: Trace) -> None:
    """-1 is an unknown sample, and nothing lies below it."""
    with pytest.raises(HarnessUsageError, match=r"sample_ids must be at least -1, got -2\."):
        replace(trace.steps, sample_ids=((0,), (-1,), (-2,), ()))


def test_updated_has_three_values(trace: Trace) -> None:
    """A step changed the weights, did not, or was not observed."""
    with pytest.raises(HarnessUsageError, match=r"updated must hold -1, 0 or 1, got \[0, 2\]\."):
        replace(trace.steps, updated=np.array([0, 2, 0, 0], np.int8))


def test_column_by_name(trace: Trace) -> None:
    """A recorded column is returned, an unrecorded or unknown one is refused."""
    assert trace.steps.column("batch").tolist() == [0, 1, 0, 1]
    with pytest.raises(HarnessUsageError, match="loss must be recorded"):
        replace(trace.steps, loss=None).column("loss")
    with pytest.raises(
        HarnessUsageError, match=r"column must be one of epoch, .*, got 'sample_ids"
    ):
        trace.steps.column("sample_ids")


def test_variable_needs_a_known_role() -> None:
    """The message lists the roles."""
    with pytest.raises(HarnessUsageError, match=r"role of w must be one of trainable, .* 'big'\."):
        VariableInfo(path="w", shape=[2], dtype="float32", role="big")  # type: ignore[arg-type]


def test_state_of_one_variable(table: StateTable) -> None:
    """Columns are cut out and take the variable's shape."""
    assert table.column("dense/bias") == slice(6, 9)
    assert table.variable("dense/bias").shape == (3,)
    assert table.initial_of("dense/kernel").tolist() == [[0, 1, 2], [3, 4, 5]]
    assert table.before_of("dense/bias")[:2].tolist() == [[6, 7, 8], [7, 8, 9]]
    assert table.after_of("sgd/iteration").tolist() == [16, 17, 18, 19]
    assert table.final_of("sgd/iteration").shape == ()
    assert len(table) == 4


def test_paths_of_a_role(table: StateTable) -> None:
    """Variables are listed by role, in order."""
    assert table.paths("trainable") == ("dense/kernel", "dense/bias")
    assert table.paths("seed") == ()


def test_unknown_path_lists_the_known(table: StateTable) -> None:
    """A misspelt path is answered with all paths."""
    rule = r"recorded variable, got 'kernel'\. Recorded are: dense/kernel, dense/bias, sgd"
    with pytest.raises(HarnessUsageError, match=rule):
        table.column("kernel")


def test_no_variables_at_all() -> None:
    """A table without variables says so."""
    empty = StateTable(
        variables=(),
        initial=np.zeros(0),
        before=np.zeros((3, 0)),
        after=np.zeros((3, 0)),
        final=np.zeros(0),
    )
    with pytest.raises(HarnessUsageError, match=r"Recorded are: none\."):
        empty.column("w")


def test_paths_must_be_unique(table: StateTable) -> None:
    """Two variables of one path could not be told apart."""
    with pytest.raises(HarnessUsageError, match=r"got 'dense/kernel' twice\. .*'dense/kernel#2'"):
        replace(table, variables=(*table.variables, table.variables[0]))


@pytest.mark.parametrize("name", ["initial", "before", "after", "final"])
def test_state_arrays_must_have_all_columns(table: StateTable, name: str) -> None:
    """An array that misses a column is named."""
    with pytest.raises(ShapeError, match=f"{name} must have shape"):
        replace(table, **{name: getattr(table, name)[..., 1:]})


def test_gradients_of_one_variable(gradients: GradientTable) -> None:
    """Raw and clipped gradients are cut out like state."""
    assert gradients.column("dense/bias") == slice(6, 9)
    assert gradients.raw_of("dense/bias")[0].tolist() == [6, 7, 8]
    assert np.isnan(gradients.clipped_of("dense/kernel")).all()
    assert gradients.clipped_of("dense/kernel").shape == (4, 2, 3)


def test_clipped_gradients_may_be_unrecorded(gradients: GradientTable) -> None:
    """Asking for them then is a mistake."""
    with pytest.raises(HarnessUsageError, match="clipped gradients must be recorded"):
        replace(gradients, clipped=None).clipped_of("dense/bias")


def test_clipped_must_have_the_shape_of_raw(gradients: GradientTable) -> None:
    """Both have a row a step."""
    with pytest.raises(ShapeError, match="clipped must have shape"):
        replace(gradients, clipped=np.zeros((1, 9)))


def test_epoch_rows(trace: Trace) -> None:
    """An epoch knows its rows in the tables."""
    assert trace.steps.batch[trace.epochs[1].rows].tolist() == [0, 1]


def test_epoch_rows_run_forwards(trace: Trace) -> None:
    """An epoch cannot end before it begins."""
    with pytest.raises(HarnessUsageError, match="stop_step must be at least first_step = 2, got 1"):
        replace(trace.epochs[1], stop_step=1)


def test_epoch_may_lack_a_learning_rate(trace: Trace) -> None:
    """None stays None."""
    assert replace(trace.epochs[0], learning_rate=None).learning_rate is None


def test_examples_keep_their_dtypes(trace: Trace) -> None:
    """Inputs and targets are stored as they were trained."""
    assert trace.examples is not None
    assert trace.examples.targets.dtype == np.int64
    assert len(trace.examples) == 3


def test_examples_must_be_equally_many() -> None:
    """A target without an input is refused."""
    with pytest.raises(ShapeError, match="targets must have 3 rows"):
        ExampleTable(inputs=np.zeros(3), targets=np.zeros(2))


def test_recordings_join() -> None:
    """The join records whatever either asks for."""
    joined = Recording.of("samples") | Recording.of("state")
    assert joined.samples
    assert joined.state
    assert not joined.hooks


def test_environment_digest(trace: Trace) -> None:
    """Equal environments share a digest, and one setting changes it."""
    environment = trace.environment
    assert replace(environment).digest() == environment.digest()
    assert replace(environment, settings={"threads": "2"}).digest() != environment.digest()
    assert len(environment.digest()) == 12
