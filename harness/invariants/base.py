"""What every check has in common: the view it judges, the violation it returns, its registration.

A check is a pure function from a `View` to violations. It never writes into the trace, and by
default demands exact equality: a tolerance can only come from the scenario's expectation.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, NoReturn, TypeAlias, Unpack, get_args

import numpy as np
from numpy.typing import ArrayLike

from harness.errors import HarnessUsageError
from harness.spec.expectation import Tolerance
from harness.spec.names import InvariantName
from harness.spec.pipeline import PipelineSpec
from harness.trace.examples import ExampleTable
from harness.trace.mismatch import Labels, Mismatch, first_mismatch
from harness.trace.recording import Recording
from harness.trace.state import GradientTable, StateTable
from harness.trace.trace import Trace

__all__ = [
    "NO_GPU",
    "Check",
    "Invariant",
    "NothingToJudge",
    "Reason",
    "View",
    "Violation",
    "figure_of",
    "invariant",
    "registered",
    "shown",
    "view_of",
]


class NothingToJudge(HarnessUsageError):  # noqa: N818 - a verdict about the scenario, no failure
    """A check was asked of a pipeline or a trace that holds nothing it could ever find wrong."""


NO_GPU: Final = "no GPU"
"""Why memory of a device is not judged."""


def figure_of(trace: Trace, name: str) -> float:
    """Return a figure of a trace.

    Raises:
        NothingToJudge: It is about a GPU, and there is none.
        HarnessUsageError: There is no such figure, or what it needs was not recorded.
    """
    if name == "peak_device_bytes" and trace.resources.peak_device_bytes is None:
        raise NothingToJudge(NO_GPU)
    return trace.figure(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """The first place at which a trace breaks a rule.

    Attributes:
        check: Name of the invariant, or id of the expectation.
        message: One sentence: what is wrong, and where.
        step: Row of the step table, where the rule is about one.
        epoch: Epoch, where the rule is about one or the step lies in one.
        where: Variable, column, log or hook.
        got: What was found, as text.
        expected: What the rule demands, as text.
        allowed: The difference that would have passed, and the reason for it; "exact" without.
        why: The rule and the document it comes from.
        mismatch: The numbers behind it, where there are two.
    """

    check: str
    message: str
    got: str
    expected: str
    why: str
    step: int | None = None
    epoch: int | None = None
    where: str | None = None
    allowed: str = "exact"
    mismatch: Mismatch | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Which rule a check applies: its name and the sentence that a violation ends with."""

    check: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One trace, the pipeline it came from, and the tolerance it is judged with.

    Attributes:
        pipeline: What was asked for.
        trace: What happened.
        atol: Allowed absolute difference.
        rtol: Allowed difference as a share of the expected magnitude.
        because: Where the tolerance comes from.
    """

    pipeline: PipelineSpec
    trace: Trace
    atol: float = 0.0
    rtol: float = 0.0
    because: str | None = None

    @property
    def state(self) -> StateTable:
        """The variables around each step.

        Raises:
            HarnessUsageError: They were not recorded.
        """
        return self.trace.state if self.trace.state is not None else _missing("state")

    @property
    def gradients(self) -> GradientTable:
        """The gradients of each step.

        Raises:
            HarnessUsageError: They were not recorded.
        """
        gradients = self.trace.gradients
        return gradients if gradients is not None else _missing("gradients")

    @property
    def examples(self) -> ExampleTable:
        """The arrays that were trained and validated on.

        Raises:
            HarnessUsageError: They were not recorded.
        """
        return self.trace.examples if self.trace.examples is not None else _missing("examples")

    @property
    def samples(self) -> tuple[tuple[int, ...], ...]:
        """Indices of the examples in each batch.

        Raises:
            HarnessUsageError: They were not recorded.
        """
        sample_ids = self.trace.steps.sample_ids
        return sample_ids if sample_ids is not None else _missing("samples")

    def epoch_of(self, step: int) -> int:
        """Return the epoch of a row of the step table."""
        return int(self.trace.steps.epoch[step])

    def slack(self, expected: float) -> float:
        """Return the largest difference from `expected` that is allowed."""
        return self.atol + self.rtol * abs(expected) if math.isfinite(expected) else 0.0

    def differs(
        self, got: ArrayLike, expected: ArrayLike, **labels: Unpack[Labels]
    ) -> Mismatch | None:
        """Return the first difference beyond the expectation's tolerance, or None."""
        step = labels.get("step")
        if step is not None:
            labels.setdefault("epoch", self.epoch_of(step))
        return first_mismatch(got, expected, atol=self.atol, rtol=self.rtol, **labels)

    def violation(
        self,
        reason: Reason,
        message: str,
        *,
        got: object,
        expected: object,
        step: int | None = None,
        epoch: int | None = None,
        where: str | None = None,
        allowed: str = "exact",
    ) -> Violation:
        """Return a violation found by counting or by an automaton, without numbers behind it."""
        if epoch is None and step is not None:
            epoch = self.epoch_of(step)
        return Violation(
            check=reason.check,
            message=message,
            got=shown(got),
            expected=shown(expected),
            why=reason.why,
            step=step,
            epoch=epoch,
            where=where,
            allowed=allowed,
        )

    def numeric(self, reason: Reason, mismatch: Mismatch) -> Violation:
        """Return the violation that a difference between two arrays amounts to."""
        return Violation(
            check=reason.check,
            message=mismatch.sentence(),
            got=shown(mismatch.got),
            expected=shown(mismatch.expected),
            why=reason.why,
            step=mismatch.step,
            epoch=mismatch.epoch,
            where=place(mismatch),
            allowed=self.tolerance(mismatch.allowed),
            mismatch=mismatch,
        )

    def tolerance(self, allowed: float) -> str:
        """Return an allowed difference together with the reason for it."""
        if not allowed:
            return "exact"
        return f"±{allowed!r}" + (f" ({self.because})" if self.because else "")


def view_of(expectation: Tolerance, pipeline: PipelineSpec, trace: Trace) -> View:
    """Return the view of a run that an expectation takes: with its tolerance, and no other."""
    return View(
        pipeline=pipeline,
        trace=trace,
        atol=expectation.atol,
        rtol=expectation.rtol,
        because=expectation.because,
    )


Check: TypeAlias = Callable[[View], tuple[Violation, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """A named check over one trace.

    Attributes:
        name: Its name in scenario files.
        summary: What must hold, in one sentence.
        source: The documents that say so.
        records: What a run must record for it.
        check: The check itself.
    """

    name: InvariantName
    summary: str
    source: str
    records: Recording
    check: Check = field(repr=False)


_REGISTRY: Final[dict[str, Invariant]] = {}


def invariant(
    name: InvariantName, *, source: str, records: Recording | None = None
) -> Callable[[Callable[[View, Reason], tuple[Violation, ...]]], Check]:
    """Register a check under its name; the first line of its docstring is the rule it states.

    The decorated function also gets the `Reason` that its violations carry. NaN and infinities are
    its daily bread, and cause no warnings.

    Raises:
        HarnessUsageError: The name is taken or not one of `InvariantName`.
    """

    def register(function: Callable[[View, Reason], tuple[Violation, ...]]) -> Check:
        if name not in get_args(InvariantName) or name in _REGISTRY:
            message = f"name must be a free one of InvariantName, got {name!r}."
            raise HarnessUsageError(message)
        summary = (function.__doc__ or "").strip().partition("\n")[0]
        reason = Reason(check=name, why=f"{summary} [{source}]")

        @np.errstate(all="ignore")
        def check(view: View) -> tuple[Violation, ...]:
            return function(view, reason)

        _REGISTRY[name] = Invariant(
            name=name,
            summary=summary,
            source=source,
            records=records if records is not None else Recording(),
            check=check,
        )
        return check

    return register


def registered() -> Mapping[str, Invariant]:
    """Return every registered check by its name, sorted."""
    return MappingProxyType(dict(sorted(_REGISTRY.items())))


def shown(value: object) -> str:
    """Return a value as a person would write it: 3 for 3.0, a text as it is."""
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return str(value)


def place(mismatch: Mismatch) -> str:
    """Return the name and index at which two arrays differ, such as ``dense/kernel[0, 2]``."""
    index = f"[{', '.join(map(str, mismatch.index))}]" if mismatch.index else ""
    return f"{mismatch.where or mismatch.quantity}{index}"


def _missing(part: str) -> NoReturn:
    message = (
        f'{part} must be recorded, got a trace without. Add "{part}" to the recording of the run.'
    )
    raise HarnessUsageError(message)
