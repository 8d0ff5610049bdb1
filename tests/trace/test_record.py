"""What all records share: frozen, converted once, equal bit for bit, picklable."""

import copy
import pickle
from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pytest

from harness.errors import HarnessUsageError, ShapeError
from harness.trace import Event, ResourceRecord, StepTable, Trace
from harness.trace._record import frozen_array


def test_fields_cannot_be_set(trace: Trace) -> None:
    """A trace stays as it was recorded."""
    with pytest.raises(FrozenInstanceError):
        trace.pipeline = ""  # type: ignore[misc]


def test_arrays_cannot_be_written(trace: Trace) -> None:
    """Arrays within a trace are read-only."""
    with pytest.raises(ValueError, match="read-only"):
        trace.steps.epoch[0] = 3


def test_mappings_cannot_be_written(trace: Trace) -> None:
    """Mappings within a trace are read-only views."""
    with pytest.raises(TypeError):
        trace.epochs[0].logs["loss"] = 0.0  # type: ignore[index]


def test_given_array_is_copied() -> None:
    """Later changes of the array that was handed in do not reach the record."""
    epoch = np.zeros(2, np.int64)
    table = StepTable(epoch=epoch, batch=epoch)
    epoch[0] = 7
    assert table.epoch.tolist() == [0, 0]


def test_read_only_array_is_taken_over() -> None:
    """An array that its owner froze is not copied, which halves the memory of large tables."""
    values = np.zeros(3)
    values.flags.writeable = False
    assert frozen_array("x", values, dtype=float, rank=1) is values


def test_read_only_view_is_copied() -> None:
    """A frozen view of an array that can still change is no safe value."""
    view = np.zeros(3)[:2]
    view.flags.writeable = False
    assert frozen_array("x", view, dtype=float, rank=1) is not view


def test_empty_list_fits_any_dtype() -> None:
    """An empty list becomes an empty integer column."""
    assert frozen_array("x", [], dtype=np.int64, rank=1).dtype == np.int64


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0.5], "x must hold numbers that fit int8, got float64."),
        ([None], "x must hold numbers that fit int8, got object."),
        ([300], "x must fit int8, got 300 to 300."),
    ],
)
def test_lossy_conversion_is_refused(values: list[object], message: str) -> None:
    """Numbers are converted only when nothing is lost."""
    with pytest.raises(HarnessUsageError) as caught:
        frozen_array("x", values, dtype=np.int8, rank=1)  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_wrong_rank_is_refused() -> None:
    """A column has one axis."""
    with pytest.raises(ShapeError, match=r"x must have 1 axes, got shape \(1, 1\)\."):
        frozen_array("x", [[1]], dtype=np.int64, rank=1)


def test_pickle_and_deepcopy_keep_everything(trace: Trace) -> None:
    """A trace that went through another process is equal, hashes alike and is read-only."""
    for other in (pickle.loads(pickle.dumps(trace)), copy.deepcopy(trace)):  # noqa: S301 - our own
        assert other == trace
        assert hash(other) == hash(trace)
        assert not other.steps.epoch.flags.writeable


def test_nan_equals_nan() -> None:
    """Records are equal when their bits are."""
    first = Event(kind="hook", name="a", detail={"x": float("nan")})
    assert first == Event(kind="hook", name="a", detail={"x": float("nan")})


@pytest.mark.parametrize("value", [-0.0, False, 0, "0"])
def test_almost_equal_details_differ(value: float | str) -> None:
    """0.0 is neither -0.0 nor False nor the integer."""
    assert Event(kind="a", name="a", detail={"x": 0.0}) != Event(
        kind="a", name="a", detail={"x": value}
    )


def test_other_types_are_not_equal(trace: Trace) -> None:
    """A record equals only records of its type."""
    assert trace.stop != "completed"


def test_changed_array_is_not_equal(trace: Trace) -> None:
    """One changed bit in an array makes another trace."""
    loss = np.array(trace.steps.loss)
    loss[0] = np.nextafter(loss[0], 2.0)
    assert replace(trace, steps=replace(trace.steps, loss=loss)) != trace


def test_detail_must_be_text_or_number() -> None:
    """What JSON could not hold is refused when it is recorded."""
    rule = r"detail of a\['x'\] must be text, a number or a boolean, got None\."
    with pytest.raises(HarnessUsageError, match=rule):
        Event(kind="hook", name="a", detail={"x": None})  # type: ignore[dict-item]


def test_numpy_scalars_become_python_numbers() -> None:
    """Recorders may hand over NumPy scalars."""
    event = Event(kind="hook", name="a", detail={"x": np.int64(3)}, step=np.int64(1))  # type: ignore[dict-item, arg-type]
    assert type(event.detail["x"]) is int
    assert type(event.step) is int


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("wall_seconds", "long", "wall_seconds must be a number, got 'long'."),
        ("peak_rss_bytes", 0.5, "peak_rss_bytes must be a whole number, got 0.5."),
        ("traces", -1, "traces must be at least 0, got -1."),
    ],
)
def test_bad_number_is_named(trace: Trace, field: str, value: Any, message: str) -> None:
    """A value of the wrong kind is refused with its field."""
    with pytest.raises(HarnessUsageError) as caught:
        replace(trace.resources, **{field: value})
    assert str(caught.value) == message


def test_counts_may_be_unknown() -> None:
    """None stays None."""
    record = ResourceRecord(
        wall_seconds=1, peak_rss_bytes=1, start_rss_bytes=1, peak_method="sampled"
    )
    assert record.traces is None
