"""Leaks that are planted are found and named; runs that keep nothing are not blamed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from harness.invariants.base import NothingToJudge
from harness.invariants.judge import judge, recording_for
from harness.invariants.leaks import leaks
from harness.invariants.relations import judge_relation
from harness.spec.expectation import BoundSpec, LoweredBySpec, ShowsSpec
from harness.spec.names import CauseName
from harness.trace import EpochRecord, Event, Trace
from tests.invariants.faults import judged
from tests.invariants.traces import MEBIBYTE, fit_trace, pipeline

EPOCHS = 10

Details = Mapping[str, Sequence[float] | str | float]


def run(
    details: Details | None = None,
    *,
    memory: Sequence[float] | None = None,
    batches: Sequence[Sequence[float]] = (),
) -> Trace:
    """A run that kept so much: per epoch where there are several numbers, always where not."""
    resident = [500 * MEBIBYTE] * EPOCHS if memory is None else memory
    epochs = tuple(
        EpochRecord(epoch=epoch, steps=0, logs={}, first_step=0, stop_step=0, rss_bytes=int(value))
        for epoch, value in enumerate(resident)
    )
    kept = tuple(
        Event(
            kind="memory",
            name="epoch",
            epoch=epoch,
            detail={
                name: value if isinstance(value, str | int | float) else value[epoch]
                for name, value in (details or {}).items()
            },
        )
        for epoch in range(len(resident))
    )
    seen = tuple(
        Event(kind="memory", name="batch", epoch=epoch, step=0, detail={"rss_bytes": value})
        for epoch, values in enumerate(batches)
        for value in values
    )
    return replace(fit_trace(pipeline()), epochs=epochs, events=(*kept, *seen))


def ramp(slope: float = 1.0) -> tuple[float, ...]:
    """Growth by so much an epoch."""
    return tuple(slope * epoch for epoch in range(EPOCHS))


KEPT: dict[str, tuple[Details, CauseName, str]] = {
    "tensors in a list": (
        {
            "things.Keeper.kept": ramp(),
            "last.Keeper.kept": "EagerTensor",
            "size.Keeper.kept": MEBIBYTE,
            "tensor.(512, 512) float32": ramp(),
            "bytes.(512, 512) float32": MEBIBYTE,
        },
        "kept_tensor",
        "Keeper.kept grows by 1 EagerTensor of 1 MiB an epoch, 9 are kept",
    ),
    "tensors somewhere": (
        {"tensor.(512, 512) float32": ramp(2), "bytes.(512, 512) float32": MEBIBYTE},
        "kept_tensor",
        "live tensors of shape (512, 512) float32, 1 MiB each, grow by 2 an epoch, 18 are kept",
    ),
    "arrays in a list": (
        {
            "things.BatchLog.rows": ramp(4),
            "last.BatchLog.rows": "ndarray",
            "size.BatchLog.rows": 16 << 10,
        },
        "growing_list",
        "BatchLog.rows grows by 4 ndarray of 16 KiB an epoch, 36 are kept",
    ),
    "graphs": (
        {"function.scaled": ramp(1.5)},
        "retraced_function",
        "the function scaled is traced 1.5 times an epoch, 13.5 of its graphs are kept",
    ),
}


@pytest.mark.parametrize("name", KEPT)
def test_a_planted_leak_is_named(name: str) -> None:
    """What is kept, where, and how fast it grows: `memory_leak` with its cause."""
    details, cause, evidence = KEPT[name]

    (found,) = leaks(run(details))

    assert (found.cause, found.evidence) == (cause, evidence)
    expected = ShowsSpec(symptom="memory_leak", cause=cause)
    assert judge(expected, pipeline=pipeline(), trace=run(details)) == ()
    (violation,) = judge(
        ShowsSpec(symptom="memory_leak", absent=True), pipeline=pipeline(), trace=run(details)
    )
    assert violation.message == f"memory_leak: {evidence}"
    assert (violation.got, violation.where) == (f"memory_leak by {cause}", "memory")


@pytest.mark.parametrize(
    "details",
    [
        {},
        # A number an epoch.
        {"things.Notes.losses": ramp(), "last.Notes.losses": "float", "size.Notes.losses": 24},
        {"tensor.() float32": ramp(), "bytes.() float32": 4},
        # Filled and emptied.
        {
            "things.Buffer.rows": [8, 0] * 5,
            "last.Buffer.rows": "ndarray",
            "size.Buffer.rows": MEBIBYTE,
        },
        # Made once, late.
        {"function.evaluate": [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]},
        # Made in the first epoch, and then there.
        {"tensor.(9,) float32": [0, *([7] * 9)], "bytes.(9,) float32": MEBIBYTE},
    ],
)
def test_what_does_not_grow_is_not_blamed(details: Details) -> None:
    """Little, passing or single things are no leak: `shows` finds nothing."""
    trace = run(details)
    absent = ShowsSpec(symptom="memory_leak", absent=True)

    assert leaks(trace) == ()
    assert judge(absent, pipeline=pipeline(), trace=trace) == ()
    (violation,) = judge(ShowsSpec(symptom="memory_leak"), pipeline=pipeline(), trace=trace)
    assert violation.message == "memory_leak: nothing is kept"


def test_memory_alone_has_no_known_cause() -> None:
    """Resident memory that grows while nothing counted does."""
    (found,) = leaks(run(memory=[500 * MEBIBYTE + 3 * MEBIBYTE * epoch for epoch in range(10)]))

    assert found.cause == "unknown"
    assert found.evidence == (
        "resident memory grows by 3 MiB an epoch, 99 % certain to lie in [3 MiB, 3 MiB], and "
        "nothing that is counted grows"
    )


def test_sizes_are_told_in_their_unit() -> None:
    """From bytes to GiB."""
    details: Details = {
        "things.A.a": ramp(1 << 12),
        "last.A.a": "int",
        "size.A.a": 32,
        "things.B.b": ramp(),
        "last.B.b": "Variable",
        "size.B.b": 1 << 31,
    }

    assert [leak.evidence for leak in leaks(run(details))] == [
        "A.a grows by 4096 int of 32 bytes an epoch, 36864 are kept",
        "B.b grows by 1 Variable of 2 GiB an epoch, 9 are kept",
    ]


def test_the_worst_leak_is_the_symptom() -> None:
    """Of several the one that takes most."""
    details = {**KEPT["arrays in a list"][0], **KEPT["tensors in a list"][0]}
    trace = run(details)

    assert [leak.cause for leak in leaks(trace)] == ["growing_list", "kept_tensor"]
    kept = ShowsSpec(symptom="memory_leak", cause="kept_tensor")
    assert judge(kept, pipeline=pipeline(), trace=trace) == ()


def test_growth_of_memory_names_what_grows_with_it() -> None:
    """`memory_is_flat` says what is counted, too."""
    details, _, evidence = KEPT["tensors in a list"]
    memory = [(500 + epoch) * MEBIBYTE for epoch in range(EPOCHS)]

    found = judged("memory_is_flat", pipeline(), run(details, memory=memory))

    assert found is not None
    assert found.message == (
        "resident memory grows by 1048576 bytes an epoch, from 525336576 to 533725184 bytes over 9 "
        f"epochs; {evidence}"
    )


def test_one_lump_is_no_growth() -> None:
    """An allocator that takes one large lump in the middle keeps it; that is no leak."""
    for place in range(1, EPOCHS):
        memory = [500 * MEBIBYTE + (epoch >= place) * 64 * MEBIBYTE for epoch in range(EPOCHS)]
        assert judged("memory_is_flat", pipeline(), run(memory=memory)) is None


def test_growing_peaks_are_found() -> None:
    """`peak_memory_is_flat` looks at the largest value of each epoch, whatever it ends with."""
    peaks = [[400.0, 500.0 + 8 * epoch, 300.0] for epoch in range(EPOCHS)]
    flat = [[400.0 + epoch, 900.0, 300.0] for epoch in range(EPOCHS)]

    found = judged("peak_memory_is_flat", pipeline(), run(batches=peaks))

    assert found is not None
    assert found.message == (
        "the peak of resident memory grows by 8 bytes an epoch, from 508 to 572 bytes over 9 epochs"
    )
    assert judged("peak_memory_is_flat", pipeline(), run(batches=flat)) is None
    tolerant = judged(
        "peak_memory_is_flat", pipeline(), run(batches=peaks), atol=8.0, because="pages"
    )
    assert tolerant is None


def test_few_epochs_say_nothing() -> None:
    """Six epochs are too few to be certain of anything, and so is a run nobody watched."""
    with pytest.raises(NothingToJudge, match="must be read from at least 7 epochs, got 6"):
        leaks(run(memory=[1.0] * 6))
    with pytest.raises(NothingToJudge, match="must see at least 7 epochs, got 0"):
        judged("peak_memory_is_flat", pipeline(), run())
    unwatched = replace(run(KEPT["graphs"][0]), events=())
    assert leaks(unwatched) == ()
    # Counted in three epochs only.
    assert leaks(replace(unwatched, events=run(KEPT["graphs"][0]).events[:3])) == ()


def test_memory_is_recorded_where_it_is_judged() -> None:
    """A leak needs counts, and no variables."""
    recording = recording_for([ShowsSpec(symptom="memory_leak")])

    assert recording.memory
    assert not recording.state


def test_a_leak_is_seen_in_noise() -> None:
    """A growth of 2 MiB an epoch under noise of 1 MiB; the same noise alone is nothing."""
    noise = np.random.default_rng(4).normal(0, MEBIBYTE, (2, 40))
    flat, leaking = noise + 500 * MEBIBYTE + np.outer([0, 2 * MEBIBYTE], np.arange(40))

    assert leaks(run(memory=list(flat))) == ()
    assert [leak.cause for leak in leaks(run(memory=list(leaking)))] == ["unknown"]


def test_memory_of_a_device_needs_a_device() -> None:
    """Without a GPU there is nothing to judge; with one, `bound` and `lowered_by` count it."""
    bound = BoundSpec(figure="peak_device_bytes", at_most=10.0, because="it is small")
    lowered = LoweredBySpec(
        change={"data.batch_size": 1},
        figure="peak_device_bytes",
        to_at_most=0.5,
        because="activations",
    )
    without = run()
    small, large = (
        replace(without, resources=replace(without.resources, peak_device_bytes=size))
        for size in (8, 20)
    )

    with pytest.raises(NothingToJudge, match=r"^no GPU$"):
        judge(bound, pipeline=pipeline(), trace=without)
    with pytest.raises(NothingToJudge, match=r"^no GPU$"):
        judge_relation(lowered, pipeline=pipeline(), trace=without, changed=without)
    assert judge(bound, pipeline=pipeline(), trace=small) == ()
    assert judge(bound, pipeline=pipeline(), trace=large) != ()
    assert judge_relation(lowered, pipeline=pipeline(), trace=large, changed=small) == ()
    assert judge_relation(lowered, pipeline=pipeline(), trace=small, changed=large) != ()
