"""Evidence to stop reason, without any process."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from harness.isolation.classify import classify, last_words
from harness.isolation.evidence import EndedBy, Evidence, Limits, place_in
from harness.isolation.rebuild import rebuilt
from harness.spec.pipeline import PipelineSpec
from harness.trace.journal import Journal

IN_BATCH = (
    {"kind": "phase", "name": "train", "planned_epochs": 9, "planned_steps": 36},
    {"kind": "epoch_begin", "epoch": 2},
    {"kind": "step", "loss": 1.0},
    {"kind": "batch_begin", "batch": 1},
)
IN_HOOK = (
    *IN_BATCH,
    {"kind": "batch_end"},
    {"kind": "enter", "callback": "Own", "hook": "on_train_batch_end", "location": "own.py:7"},
)
STACKS = """Fatal Python error: Segmentation fault

Thread 0x1 (most recent call first):
  File "/usr/lib/python3.11/threading.py", line 3 in wait

Current thread 0x2 (most recent call first):
  File "/venv/site-packages/keras/src/x.py", line 1 in call
  File "/home/me/train.py", line 20 in strike
  File "/home/me/train.py", line 30 in on_train_batch_end
"""


def evidence(*entries: dict[str, Any], **values: Any) -> Evidence:
    """Evidence on a process that said these things."""
    return Evidence(**{"status": None, "journal": Journal(entries=entries), **values})


def sentence(*entries: dict[str, Any], **values: Any) -> str:
    """The reason and the whole sentence."""
    stop = classify(evidence(*entries, **values))
    return f"{stop.reason.value}: {stop.sentence}"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            {"status": -9, "kernel_kills": 1},
            "out_of_memory: SIGKILL ended the process: the kernel did, for want of memory",
        ),
        (
            {"status": -9, "kernel_kills": 0},
            "killed: SIGKILL ended the process, and the kernel did not send it",
        ),
        ({"status": -9}, "killed: SIGKILL ended the process"),
        ({"status": -signal.SIGINT}, "interrupted: SIGINT ended the process"),
        ({"status": -signal.SIGXCPU}, "timed_out: SIGXCPU ended the process"),
        ({"status": -40}, "killed: signal 40 ended the process"),
        (
            {"status": -6, "output": "terminate called\n  what():  std::bad_alloc\n"},
            (
                "out_of_memory: SIGABRT ended the process after 'terminate called / what():  "
                "std::bad_alloc'"
            ),
        ),
        (
            {"status": -11, "limits": Limits(memory_bytes=100), "held_bytes": 95},
            "out_of_memory: SIGSEGV ended the process",
        ),
        (
            {"status": -11, "output": STACKS, "limits": Limits(memory_bytes=100)},
            "killed: SIGSEGV ended the process",
        ),
        (
            {"status": 1, "output": "Check failed: Out of memory"},
            (
                "out_of_memory: The process ended itself with status 1 after 'Check failed: Out of "
                "memory'"
            ),
        ),
        ({"status": 0}, "error: The process ended itself with status 0"),
        ({}, "killed: Nobody could ask how the process ended"),
        (
            {"ended_by": EndedBy.MEMORY, "held_bytes": 3 << 30, "limits": Limits(memory_bytes=9)},
            (
                "out_of_memory: It held 3.00 GiB more than at its start, its budget is 9 bytes, so it "
                "was ended"
            ),
        ),
    ],
)
def test_ends_of_a_process(values: dict[str, Any], expected: str) -> None:
    """The signal or status, read together with memory, the kernel and native words."""
    stop = classify(evidence(*IN_BATCH, **values))

    assert f"{stop.reason.value}: {stop.evidence}" == f"{expected}, in batch 1 of epoch 2"
    assert (stop.epoch, stop.step) == (2, 0)


def test_a_callback_is_named() -> None:
    """The one whose hook was running, where it stands, or where it really was."""
    stop = classify(evidence(*IN_HOOK, status=-15))
    assert (stop.callback, stop.location) == ("Own", "own.py:7")

    stop = classify(evidence(*IN_HOOK, status=-11, output=STACKS))
    assert (stop.callback, stop.location) == ("Own", "/home/me/train.py:20")


def test_an_exit_counts_only_if_it_happened() -> None:
    """Somebody may have been killed on the way out."""
    left = {"kind": "exit", "call": "os._exit", "status": 259, "location": "a.py:1"}

    assert sentence(*IN_HOOK, left, status=3).startswith(
        "callback_error: A callback ended training with an error. os._exit(259) was called, in "
        "on_train_batch_end of Own. Callback Own, at a.py:1."
    )
    assert sentence(*IN_HOOK, left, status=-9).startswith("killed: ")


@pytest.mark.parametrize(
    ("kind", "message", "reason"),
    [
        ("KeyboardInterrupt", "", "interrupted"),
        ("MemoryError", "", "out_of_memory"),
        ("ResourceExhaustedError", "OOM", "out_of_memory"),
        ("SystemExit", "3", "error"),
    ],
)
def test_what_was_raised_is_told(kind: str, message: str, reason: str) -> None:
    """By the process itself, in its last words."""
    raised = {"kind": "raised", "type": kind, "message": message, "location": "a.py:1"}

    stop = classify(evidence(*IN_BATCH, raised, status=1))

    assert stop.reason.value == reason
    assert stop.exception == f"{kind}: {message}"
    assert stop.location == "a.py:1"


def test_places() -> None:
    """How far a run came, in words."""
    assert place_in(()).sentence == ""
    build, after = {"kind": "phase", "name": "build"}, {"kind": "phase", "name": "after"}
    assert place_in([build]).sentence == "while it was built"
    assert place_in([build, after]).sentence == "after the training"
    assert place_in([*IN_BATCH, {"kind": "batch_end"}]).sentence == "between two batches"
    assert place_in([*IN_HOOK, {"kind": "leave"}]).inside is None
    assert place_in([{"kind": "leave"}]).inside is None


def test_a_start_that_never_ends() -> None:
    """A run may die before it is ready."""
    text = sentence(status=-9, ended_by=EndedBy.START, limits=Limits(start_seconds=30))

    assert text == (
        "timed_out: Training did not finish within its time limit. It was not ready to train "
        "after 30 s."
    )


def test_last_words_end_where_stacks_begin() -> None:
    """What a person reads is what native code said."""
    assert last_words("one\n\ntwo\nthree\nfour\nFatal Python error: Aborted\nmore") == (
        "two / three / four"
    )


def test_a_run_that_said_nothing_has_a_trace() -> None:
    """Without steps, with what is known."""
    trace = rebuilt(PipelineSpec(), evidence(status=-9, output="native", peak_bytes=5))

    assert len(trace.steps) == 0
    assert trace.environment.keras == "unknown"
    assert [(event.kind, event.name) for event in trace.events] == [("process", "stderr")]


def test_steps_that_are_taken_back_are_gone() -> None:
    """A fit that is broken off begins its epoch anew."""
    journal = Journal(
        entries=(
            *IN_BATCH[:3],
            {"kind": "step", "loss": 2.0},
            {"kind": "rewind", "steps": 1},
            {"kind": "epoch_begin", "epoch": 3},
            {"kind": "step", "loss": 3.0},
        ),
        damaged='{"kind": "st',
    )

    trace = rebuilt(PipelineSpec(), Evidence(status=-9, journal=journal))

    assert trace.steps.column("loss").tolist() == [1.0, 3.0]
    assert trace.steps.epoch.tolist() == [2, 3]
    assert trace.events[-1].detail["text"] == '{"kind": "st'
    assert (trace.stop.planned_epochs, trace.stop.planned_steps) == (9, 36)
