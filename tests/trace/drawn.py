"""Traces of every kind, for Hypothesis."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from harness.trace import (
    Environment,
    EpochRecord,
    Event,
    ExampleTable,
    GradientTable,
    ResourceRecord,
    StateTable,
    StepTable,
    Stop,
    StopReason,
    Trace,
    VariableInfo,
)
from harness.trace.state import ROLES
from harness.trace.steps import STEP_COLUMNS

TEXTS = st.text(max_size=5)
COUNTS = st.integers(0, 2**62)
MAYBE_COUNTS = st.none() | COUNTS
NUMBERS = st.dictionaries(TEXTS, st.floats(), max_size=3)
DETAILS = st.dictionaries(TEXTS, TEXTS | st.floats() | st.integers() | st.booleans(), max_size=3)
PREDICTIONS = st.sampled_from(["f2", "f4", "f8", ">f4", "i1", "u8", "?"]).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0))
)


def floats(*shape: int) -> st.SearchStrategy[Any]:
    """Return arrays of any bits, NaN payloads included."""
    bits = hnp.arrays(np.uint64, shape)
    return bits.map(lambda values: values.view(np.float64))


@st.composite
def step_tables(draw: st.DrawFn, steps: int) -> StepTable:
    """Return a table in which any column but the required ones may be missing."""
    kinds = {"f": floats(steps), "i": hnp.arrays(np.int64, steps)}
    columns: dict[str, Any] = {}
    for name, dtype in STEP_COLUMNS.items():
        values = kinds[np.dtype(dtype).kind]
        if name == "updated":
            values = hnp.arrays(np.int8, steps, elements=st.integers(-1, 1))
        columns[name] = draw(values if name in {"epoch", "batch"} else st.none() | values)
    ids = st.lists(st.integers(-1, 2**62), max_size=3).map(tuple)
    samples = st.lists(ids, min_size=steps, max_size=steps).map(tuple)
    return StepTable(**columns, sample_ids=draw(st.none() | samples))


@st.composite
def state_tables(draw: st.DrawFn, steps: int) -> StateTable:
    """Return a table of no, one or several variables."""
    infos = st.builds(
        VariableInfo,
        path=TEXTS,
        shape=st.lists(st.integers(0, 2), max_size=2).map(tuple),
        dtype=TEXTS,
        role=st.sampled_from(ROLES),
        slot=st.none() | TEXTS,
        slot_of=st.none() | TEXTS,
    )
    variables = draw(st.lists(infos, max_size=3, unique_by=lambda info: info.path).map(tuple))
    width = sum(variable.size for variable in variables)
    return StateTable(
        variables=variables,
        initial=draw(floats(width)),
        before=draw(floats(steps, width)),
        after=draw(floats(steps, width)),
        final=draw(floats(width)),
    )


@st.composite
def gradient_tables(draw: st.DrawFn, steps: int) -> GradientTable:
    """Return gradients of one variable, clipped or not."""
    size = draw(st.integers(0, 2))
    variable = VariableInfo(path=draw(TEXTS), shape=(size,), dtype="float32", role="trainable")
    clipped = draw(st.none() | floats(steps, size))
    return GradientTable(variables=(variable,), raw=draw(floats(steps, size)), clipped=clipped)


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    """Return any trace: empty or not, with and without its optional parts."""
    steps = draw(st.integers(0, 3))
    epochs = st.builds(
        EpochRecord,
        epoch=COUNTS,
        steps=COUNTS,
        logs=NUMBERS,
        first_step=st.just(0),
        stop_step=st.integers(0, steps),
        rss_bytes=COUNTS,
        drawn_batches=MAYBE_COUNTS,
        learning_rate=st.none() | st.floats(),
    )
    events = st.builds(
        Event, kind=TEXTS, name=TEXTS, epoch=MAYBE_COUNTS, step=MAYBE_COUNTS, detail=DETAILS
    )
    examples = st.builds(ExampleTable, inputs=floats(2, 1), targets=floats(2))
    return Trace(
        pipeline=draw(TEXTS),
        steps=draw(step_tables(steps)),
        epochs=draw(st.lists(epochs, max_size=2).map(tuple)),
        resources=draw(
            st.builds(
                ResourceRecord,
                wall_seconds=st.floats(),
                peak_rss_bytes=COUNTS,
                start_rss_bytes=COUNTS,
                peak_method=TEXTS,
                traces=MAYBE_COUNTS,
            )
        ),
        stop=draw(
            st.builds(
                Stop,
                reason=st.sampled_from(StopReason),
                evidence=TEXTS,
                epoch=MAYBE_COUNTS,
                location=st.none() | TEXTS,
            )
        ),
        environment=draw(
            st.builds(Environment, cores=COUNTS, settings=st.dictionaries(TEXTS, TEXTS, max_size=2))
        ),
        state=draw(st.none() | state_tables(steps)),
        gradients=draw(st.none() | gradient_tables(steps)),
        events=draw(st.lists(events, max_size=3).map(tuple)),
        drawn_batches=draw(MAYBE_COUNTS),
        drawn_samples=draw(MAYBE_COUNTS),
        evaluation=draw(st.none() | NUMBERS),
        predictions=draw(st.none() | PREDICTIONS),
        examples=draw(st.none() | examples),
    )
