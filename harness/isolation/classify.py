"""The evidence on a process that has ended, made into a stop reason."""

from __future__ import annotations

import re
import signal
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from harness.isolation.evidence import EndedBy, place_in
from harness.isolation.users import is_users
from harness.trace.stop import Stop, StopReason

if TYPE_CHECKING:
    from harness.isolation.evidence import Evidence, Place

__all__ = ["classify", "is_out_of_memory", "last_words"]

_MEMORY_WORDS: Final = re.compile(
    r"bad_alloc|length_error|ResourceExhausted|RESOURCE_EXHAUSTED|OutOfMemory|MemoryError|"
    r"[Oo]ut of memory|[Cc]annot allocate memory|failed to (?:map|allocate)|"
    r"Allocation of \d+ exceeds"
)
"""What native libraries and Python say before they give up for want of memory."""

_FRAME: Final = re.compile(
    r'^  File "(?P<file>.+)", line (?P<line>\d+) in (?P<name>.+)$', re.MULTILINE
)
_CURRENT: Final = re.compile(
    r"^(?:Current thread|Thread) .*\(most recent call first\):$", re.MULTILINE
)
_LINES_SHOWN: Final = 3
_NEAR_LIMIT: Final = 0.9


def is_out_of_memory(text: str) -> bool:
    """Whether a message speaks of missing memory."""
    return _MEMORY_WORDS.search(text) is not None


def classify(evidence: Evidence) -> Stop:
    """Why a process ended that did not hand over a whole trace; the strongest evidence first.

    What the watch did itself is certain. What the process said last comes next, then the signal
    that ended it, read together with what native code wrote to standard error.

    Args:
        evidence: What was seen.
    """
    place = place_in(evidence.journal.entries)
    stop = _by_watch(evidence, place) or _by_itself(evidence, place) or _by_status(evidence, place)
    inside = place.inside or {}
    return replace(
        stop,
        epoch=place.epoch,
        step=place.step,
        callback=stop.callback or inside.get("callback"),
        location=stop.location or inside.get("location"),
    )


def _by_watch(evidence: Evidence, place: Place) -> Stop | None:
    limits, stuck_at = evidence.limits, _innermost(evidence.stacks)
    match evidence.ended_by:
        case None:
            return None
        case EndedBy.MEMORY:
            text = (
                f"It held {_size(evidence.held_bytes)} more than at its start, its budget is "
                f"{_size(limits.memory_bytes or 0)}, so it was ended"
            )
            return _stop(StopReason.OUT_OF_MEMORY, text, place)
        case EndedBy.DEADLINE:
            text = f"Its {limits.wall_seconds:g} s were over"
        case EndedBy.STALL:
            busy = evidence.stalled_cpu_seconds
            used = "" if busy is None else f" with {busy:.1f} s of processor time used"
            text = f"No progress for {limits.stall_seconds:g} s{used}"
        case EndedBy.START:
            text = f"It was not ready to train after {limits.start_seconds:g} s"
    return _stop(StopReason.TIMED_OUT, text, place, location=stuck_at)


def _by_itself(evidence: Evidence, place: Place) -> Stop | None:
    """What the process said of its own end."""
    journal = evidence.journal
    raised, left = journal.last("raised"), journal.last("exit")
    if raised is not None:
        text = f"{raised['type']}: {raised['message']}"
        if raised["type"] == "KeyboardInterrupt":
            reason = StopReason.INTERRUPTED
        elif is_out_of_memory(text):
            reason = StopReason.OUT_OF_MEMORY
        else:
            reason = _culprit(place)
        return replace(
            _stop(reason, f"{raised['type']} was raised", place, location=raised.get("location")),
            exception=text[:2000],
        )
    if left is not None and evidence.status == left["status"] & 0xFF:
        text = f"{left['call']}({left['status']}) was called"
        return _stop(_culprit(place), text, place, location=left["location"])
    return None


def _by_status(evidence: Evidence, place: Place) -> Stop:
    """What the way in which the process ended says, and what native code said before."""
    status, output = evidence.status, evidence.output
    if status is None:
        return _stop(StopReason.KILLED, "Nobody could ask how the process ended", place)
    if status >= 0:
        text = f"The process ended itself with status {status}{_said(output)}"
        reason = StopReason.OUT_OF_MEMORY if is_out_of_memory(output) else _culprit(place)
        return _stop(reason, text, place)
    return _by_signal(-status, evidence, place)


def _by_signal(number: int, evidence: Evidence, place: Place) -> Stop:
    text, output = f"{_signal_name(number)} ended the process", evidence.output
    plain = {signal.SIGINT: StopReason.INTERRUPTED, signal.SIGXCPU: StopReason.TIMED_OUT}
    if number in plain:
        return _stop(plain[signal.Signals(number)], text, place)
    if number == signal.SIGKILL:
        if evidence.kernel_kills:
            starved = f"{text}: the kernel did, for want of memory"
            return _stop(StopReason.OUT_OF_MEMORY, starved, place)
        origin = "" if evidence.kernel_kills is None else ", and the kernel did not send it"
        return _stop(StopReason.KILLED, f"{text}{origin}", place)
    # A native library that gets no memory ends in abort() or writes through a null pointer.
    starving = is_out_of_memory(output) or _near_budget(evidence)
    reason = StopReason.OUT_OF_MEMORY if starving else StopReason.KILLED
    return _stop(reason, f"{text}{_said(output)}", place, location=_innermost(output))


def _near_budget(evidence: Evidence) -> bool:
    budget = evidence.limits.memory_bytes
    return budget is not None and evidence.held_bytes >= _NEAR_LIMIT * budget


def _culprit(place: Place) -> StopReason:
    return StopReason.ERROR if place.inside is None else StopReason.CALLBACK_ERROR


def _stop(reason: StopReason, evidence: str, place: Place, *, location: str | None = None) -> Stop:
    where = f", {place.sentence}" if place.sentence else ""
    return Stop(reason=reason, evidence=f"{evidence}{where}", location=location)


def last_words(output: str, lines: int = _LINES_SHOWN) -> str:
    """The end of what a process wrote to standard error, without the stacks of faulthandler."""
    kept = []
    for line in output.splitlines():
        if line.startswith("Fatal Python error") or _CURRENT.match(line):
            break
        if line.strip():
            kept.append(line.strip())
    return " / ".join(kept[-lines:])


def _said(output: str) -> str:
    words = last_words(output)
    return f" after {words!r}" if words else ""


def _innermost(stacks: str) -> str | None:
    """``file:line`` of the innermost frame of the main thread that is the user's own, else of any.

    Faulthandler writes the main thread last, except where it names the current thread.
    """
    current = stacks.rfind("Current thread")
    starts = [match.start() for match in _CURRENT.finditer(stacks)]
    if not starts:
        return None
    start = current if current >= 0 else starts[-1]
    stop = next((other for other in starts if other > start), len(stacks))
    frames = list(_FRAME.finditer(stacks[start:stop]))
    own = [frame for frame in frames if is_users(frame["file"])]
    chosen = (own or frames)[:1]
    return f"{chosen[0]['file']}:{chosen[0]['line']}" if chosen else None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _size(size: int) -> str:
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB")):
        if size >= unit:
            return f"{size / unit:.2f} {name}" if unit > 1 << 20 else f"{size / unit:.0f} {name}"
    return f"{size} bytes"
