"""Two state tables to the first difference of each variable."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from harness.trace._moments import (
    AFTER_STEP,
    AFTER_TRAINING,
    BEFORE_STEP,
    BEFORE_TRAINING,
    Found,
    at,
)
from harness.trace._record import Int64
from harness.trace.mismatch import Labels, Mismatch, first_mismatch, first_step_mismatch
from harness.trace.state import ROLES, StateTable, VariableInfo

QUANTITY_ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    "weights": ("trainable", "non_trainable"),
    "slots": ("slot", "average", "accumulator"),
    "counters": ("iterations", "step_counter", "loss_scale"),
    "state": ROLES,
}
"""Roles of the variables that a quantity is made of."""

_EXACT_ROLES: Final = frozenset({*QUANTITY_ROLES["counters"], "seed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StatePair:
    """Two state tables, the epochs of the steps, and the tolerance for what is not a counter."""

    got: StateTable
    expected: StateTable
    epochs: Int64
    atol: float
    rtol: float


def compare_states(pair: StatePair, quantities: tuple[str, ...]) -> Iterator[Found]:
    """Compare each variable once, under the first of the quantities that it belongs to."""
    done: set[str] = set()
    for quantity in quantities:
        roles = tuple(role for role in QUANTITY_ROLES[quantity] if role not in done)
        done.update(roles)
        for role in roles:
            yield from _compare_role(pair, quantity, role)


def _compare_role(pair: StatePair, quantity: str, role: str) -> Iterator[Found]:
    """Match the variables of one role by their order within each slot."""
    found, wanted = _by_slot(pair.got, role), _by_slot(pair.expected, role)
    for slot in dict.fromkeys((*wanted, *found)):
        ours, theirs = found.get(slot, ()), wanted.get(slot, ())
        if len(ours) == len(theirs):
            for our, their in zip(ours, theirs, strict=True):
                yield from _first_of(_compare_variable(pair, quantity, our, their))
        else:
            name = role if slot is None else f"{role} {slot}"
            mismatch = Mismatch(
                got=float(len(ours)),
                expected=float(len(theirs)),
                quantity=quantity,
                where=f"number of {name} variables",
            )
            yield BEFORE_TRAINING, mismatch


def _by_slot(table: StateTable, role: str) -> dict[str | None, tuple[VariableInfo, ...]]:
    slots: dict[str | None, tuple[VariableInfo, ...]] = {}
    for variable in table.variables:
        if variable.role == role:
            slots[variable.slot] = (*slots.get(variable.slot, ()), variable)
    return slots


def _first_of(found: Iterator[Found]) -> tuple[Found, ...]:
    earliest = min(found, key=lambda item: item[0], default=None)
    return () if earliest is None else (earliest,)


def _compare_variable(
    pair: StatePair, quantity: str, our: VariableInfo, their: VariableInfo
) -> Iterator[Found]:
    """Compare before training, before and after each step both have, and after training."""
    labels = Labels(quantity=quantity, where=their.path)
    if our.shape != their.shape:
        texts = (f"shape {our.shape}", f"shape {their.shape}")
        yield BEFORE_TRAINING, Mismatch(got=texts[0], expected=texts[1], **labels)
        return
    atol, rtol = (0.0, 0.0) if their.role in _EXACT_ROLES else (pair.atol, pair.rtol)
    yield from _at_ends(pair, our, labels, atol=atol, rtol=rtol)
    yield from _in_steps(pair, our, labels, atol=atol, rtol=rtol)


def _at_ends(
    pair: StatePair, our: VariableInfo, labels: Labels, *, atol: float, rtol: float
) -> Iterator[Found]:
    got, expected, path = pair.got, pair.expected, labels["where"]
    labels["phase"] = "initial"
    initial = (got.initial_of(our.path), expected.initial_of(path))
    if mismatch := first_mismatch(*initial, atol=atol, rtol=rtol, **labels):
        yield BEFORE_TRAINING, mismatch
    labels["phase"] = "final"
    final = (got.final_of(our.path), expected.final_of(path))
    if mismatch := first_mismatch(*final, atol=atol, rtol=rtol, **labels):
        yield AFTER_TRAINING, mismatch


def _in_steps(
    pair: StatePair, our: VariableInfo, labels: Labels, *, atol: float, rtol: float
) -> Iterator[Found]:
    rows = slice(min(len(pair.got), len(pair.expected)))
    path, epochs = labels["where"], pair.epochs
    labels["phase"] = "before"
    before = (pair.got.before_of(our.path)[rows], pair.expected.before_of(path)[rows])
    if found := first_step_mismatch(*before, epochs=epochs, atol=atol, rtol=rtol, **labels):
        yield at(found, BEFORE_STEP)
    labels["phase"] = "after"
    after = (pair.got.after_of(our.path)[rows], pair.expected.after_of(path)[rows])
    if found := first_step_mismatch(*after, epochs=epochs, atol=atol, rtol=rtol, **labels):
        yield at(found, AFTER_STEP)
