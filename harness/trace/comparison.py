"""Two traces to the places where they part, the first wrong step first."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from harness.errors import HarnessUsageError
from harness.trace._moments import AFTER_EPOCH, AFTER_TRAINING, IN_STEP, Found, at, unrecorded
from harness.trace._state_comparison import QUANTITY_ROLES, StatePair, compare_states
from harness.trace.epochs import EpochRecord
from harness.trace.mismatch import (
    Labels,
    Mismatch,
    first_mismatch,
    first_step_mismatch,
    require_tolerances,
)
from harness.trace.trace import Trace

__all__ = ["QUANTITIES", "Mismatch", "compare_traces", "first_mismatch", "first_step_mismatch"]

_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "steps": ("epoch", "batch"),
    "losses": ("loss",),
    "learning_rates": ("learning_rate",),
    "iterations": ("iterations_before", "iterations_after"),
    "gradient_norms": ("gradient_norm",),
}
_COLUMNS_IF_RECORDED: Final[Mapping[str, tuple[str, ...]]] = {
    "steps": ("batch_size", "updated"),
    "gradient_norms": ("clipped_norm",),
}
_EXACT: Final = frozenset({"steps", "iterations"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """Two traces, and the tolerance for what training computes."""

    got: Trace
    expected: Trace
    atol: float
    rtol: float

    @property
    def epochs(self) -> NDArray[np.int64]:
        """Epoch of each step, from the longer trace."""
        return max(self.expected.steps.epoch, self.got.steps.epoch, key=len)


def compare_traces(
    got: Trace,
    expected: Trace,
    *,
    quantities: Iterable[str],
    atol: float = 0.0,
    rtol: float = 0.0,
) -> tuple[Mismatch, ...]:
    """Return where two traces differ, in order of time: the first is the first wrong step.

    Each column, variable, log and figure contributes its first difference only, since whatever
    follows a wrong step is wrong as well. Variables are matched by their order within a role and
    slot, not by path, because Keras numbers the layers of a second model differently. Different
    numbers of steps are one mismatch, at the first step that only one trace has; columns and
    variables are then compared over the steps that both have.

    Args:
        got: The trace under test.
        expected: The trace it should be like.
        quantities: Names from `QUANTITIES`; ``state`` is all variables, ``weights``, ``slots`` and
            ``counters`` are parts of it.
        atol: Allowed absolute difference, >= 0, for what training computes. Steps, samples,
            counters, seeds, iterations and the stop must always be equal.
        rtol: Allowed difference as a share of the expected magnitude, >= 0, likewise.

    Raises:
        HarnessUsageError: A quantity is unknown or was not recorded in one of the traces, or a
            tolerance is negative or NaN.
    """
    require_tolerances(atol, rtol)
    chosen = tuple(dict.fromkeys(quantities))
    for name in chosen:
        if name not in QUANTITIES:
            message = f"quantities must be among {', '.join(QUANTITIES)}, got {name!r}."
            raise HarnessUsageError(message)
    pair = _Pair(got=got, expected=expected, atol=atol, rtol=rtol)
    found: list[Found] = []
    if any(name in _PER_STEP for name in chosen):
        found.extend(_number_of_steps(pair))
    for name in chosen:
        if name in _COLUMNS:
            found.extend(_columns(pair, name))
        elif name in _FINDERS:
            found.extend(_FINDERS[name](pair))
    found.extend(_state(pair, tuple(name for name in chosen if name in QUANTITY_ROLES)))
    return tuple(mismatch for _, mismatch in sorted(found, key=lambda item: item[0]))


def _number_of_steps(pair: _Pair) -> Iterator[Found]:
    counts = (len(pair.got.steps), len(pair.expected.steps))
    if counts[0] != counts[1]:
        step = min(counts)
        mismatch = Mismatch(
            got=float(counts[0]),
            expected=float(counts[1]),
            quantity="steps",
            where="number of steps",
            step=step,
            epoch=int(pair.epochs[step]),
        )
        yield at(mismatch, IN_STEP)


def _columns(pair: _Pair, quantity: str) -> Iterator[Found]:
    """Compare the columns of one quantity over the steps that both traces have."""
    recorded = pair.got.steps.recorded & pair.expected.steps.recorded
    optional = recorded.intersection(_COLUMNS_IF_RECORDED.get(quantity, ()))
    rows = slice(min(len(pair.got.steps), len(pair.expected.steps)))
    tolerance = (0.0, 0.0) if quantity in _EXACT else (pair.atol, pair.rtol)
    for name in (*_COLUMNS[quantity], *sorted(optional)):
        if name not in recorded:
            raise unrecorded(quantity=quantity, part="norms")
        got = pair.got.steps.column(name)[rows]
        expected = pair.expected.steps.column(name)[rows]
        if name == "gradient_norm" and len(got) and np.isnan((got, expected)).all():
            raise unrecorded(quantity=quantity, part="norms")
        if name == "updated":
            got, expected = _observed(got, expected)
        mismatch = first_step_mismatch(
            got,
            expected,
            epochs=pair.epochs,
            atol=tolerance[0],
            rtol=tolerance[1],
            quantity=quantity,
            where=name,
        )
        if mismatch is not None:
            yield at(mismatch, IN_STEP)


def _observed(got: NDArray[Any], expected: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return both with the steps made equal that one trace did not observe."""
    seen = (got >= 0) & (expected >= 0)
    return np.where(seen, got, 0), np.where(seen, expected, 0)


def _samples(pair: _Pair) -> Iterator[Found]:
    got, expected = pair.got.steps.sample_ids, pair.expected.steps.sample_ids
    if got is None or expected is None:
        raise unrecorded(quantity="samples", part="samples")
    for step, (found, wanted) in enumerate(zip(got, expected, strict=False)):
        epoch = int(pair.epochs[step])
        labels = Labels(quantity="samples", where="sample_ids", step=step, epoch=epoch)
        if mismatch := first_mismatch(found, wanted, **labels):
            yield at(mismatch, IN_STEP)
            return


def _state(pair: _Pair, quantities: tuple[str, ...]) -> Iterator[Found]:
    if not quantities:
        return
    if pair.got.state is None or pair.expected.state is None:
        raise unrecorded(quantity=" and ".join(quantities), part="state")
    states = StatePair(
        got=pair.got.state,
        expected=pair.expected.state,
        epochs=pair.epochs,
        atol=pair.atol,
        rtol=pair.rtol,
    )
    yield from compare_states(states, quantities)


def _logs(pair: _Pair) -> Iterator[Found]:
    """Compare the logs of each epoch, and then the number of epochs."""
    done: set[str] = set()
    for found, wanted in zip(pair.got.epochs, pair.expected.epochs, strict=False):
        labels = Labels(quantity="logs", epoch=wanted.epoch)
        for mismatch in _mappings(pair, found.logs, wanted.logs, labels):
            if mismatch.where not in done:
                done.add(mismatch.where)
                yield _epoch_end(wanted), mismatch
    counts = (len(pair.got.epochs), len(pair.expected.epochs))
    if counts[0] != counts[1]:
        extra = max(pair.got.epochs, pair.expected.epochs, key=len)[min(counts)]
        mismatch = Mismatch(
            got=float(counts[0]),
            expected=float(counts[1]),
            quantity="logs",
            where="number of epochs",
            epoch=extra.epoch,
        )
        yield _epoch_end(extra), mismatch


def _epoch_end(record: EpochRecord) -> tuple[float, int]:
    return record.stop_step - 1, AFTER_EPOCH


def _mappings(
    pair: _Pair, got: Mapping[str, float], expected: Mapping[str, float], labels: Labels
) -> Iterator[Mismatch]:
    """Compare the entries of the union of all keys."""
    for key in dict.fromkeys((*expected, *got)):
        labels["where"] = key
        if key in got and key in expected:
            mismatch = first_mismatch(
                got[key], expected[key], atol=pair.atol, rtol=pair.rtol, **labels
            )
            if mismatch is not None:
                yield mismatch
        else:
            sides = (got.get(key, "absent"), expected.get(key, "absent"))
            yield Mismatch(got=sides[0], expected=sides[1], **labels)


def _evaluation(pair: _Pair) -> Iterator[Found]:
    if pair.got.evaluation is None or pair.expected.evaluation is None:
        message = "evaluation must be in both traces, got a trace without. Evaluate after training."
        raise HarnessUsageError(message)
    labels = Labels(quantity="evaluation")
    for mismatch in _mappings(pair, pair.got.evaluation, pair.expected.evaluation, labels):
        yield AFTER_TRAINING, mismatch


def _predictions(pair: _Pair) -> Iterator[Found]:
    got, expected = pair.got.predictions, pair.expected.predictions
    if got is None or expected is None:
        message = "predictions must be in both traces, got a trace without. Predict after training."
        raise HarnessUsageError(message)
    labels = Labels(quantity="predictions", where="predictions")
    if mismatch := first_mismatch(got, expected, atol=pair.atol, rtol=pair.rtol, **labels):
        yield AFTER_TRAINING, mismatch


def _stop(pair: _Pair) -> Iterator[Found]:
    """Compare why and where training ended; evidence and location are for people."""
    got, expected = pair.got.stop, pair.expected.stop
    sides = (
        ("reason", str(got.reason), str(expected.reason)),
        ("epoch", _text(got.epoch), _text(expected.epoch)),
        ("step", _text(got.step), _text(expected.step)),
    )
    for where, found, wanted in sides:
        if found != wanted:
            mismatch = Mismatch(got=found, expected=wanted, quantity="stop", where=where)
            yield AFTER_TRAINING, mismatch


def _text(count: int | None) -> str:
    return "absent" if count is None else str(count)


_FINDERS: Final[Mapping[str, Callable[[_Pair], Iterator[Found]]]] = {
    "samples": _samples,
    "logs": _logs,
    "stop": _stop,
    "predictions": _predictions,
    "evaluation": _evaluation,
}
_PER_STEP: Final = frozenset({*_COLUMNS, *QUANTITY_ROLES, "samples"})

QUANTITIES: Final = (*_COLUMNS, "samples", *QUANTITY_ROLES, *tuple(_FINDERS)[1:])
"""What `compare_traces` can compare."""
