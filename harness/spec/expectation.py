"""What must hold of a run: tables with a kind, never expressions."""

from __future__ import annotations

from typing import Annotated, Literal, Self, assert_never

from pydantic import AfterValidator, Field, Strict, model_validator
from pydantic_core import PydanticCustomError

from harness.spec.base import Finite, Flag, Fraction, NonNegative, PlainTable, Rule, Spec, Text
from harness.spec.names import (
    FIGURE_FAMILIES,
    FIGURES,
    CauseName,
    InvariantName,
    PreflightName,
    Quantity,
    StopName,
    SymptomName,
)


class ExpectationSpec(Spec):
    """What every expectation has.

    Attributes:
        id: Name by which a known issue refers to it; None is made from the kind.
    """

    id: (
        Annotated[
            str,
            Strict(),
            Field(pattern=r"^[a-z0-9_.]+$"),
            Rule("be made of lower-case letters, digits, _ and ."),
        ]
        | None
    ) = None


class Tolerance(ExpectationSpec):
    """An expectation about numbers: exact unless it says otherwise, and then says why.

    Attributes:
        atol: Allowed absolute difference.
        rtol: Allowed difference relative to the expected value.
        because: The measurement or the bound that this tolerance comes from.
    """

    atol: NonNegative = 0.0
    rtol: NonNegative = 0.0
    because: Text | None = None

    @model_validator(mode="after")
    def _reasoned(self) -> Self:
        if (self.atol or self.rtol) and not self.because:
            msg = "give because where it has a tolerance: the measurement or bound it comes from"
            raise ValueError(msg)
        return self


class InvariantSpec(Tolerance):
    """A named check over one trace; see `harness list --invariants` for what each one says."""

    kind: Literal["invariant"] = "invariant"
    name: InvariantName


class MatchesOracleSpec(Tolerance):
    """The run equals the float64 oracle.

    Attributes:
        reference: ``replay`` feeds the recorded gradients to the oracle's optimizer and works for
            any model; ``full`` predicts the whole run of a built-in MLP from its data and its
            initial weights.
    """

    kind: Literal["matches_oracle"] = "matches_oracle"
    reference: Literal["replay", "full"] = "replay"


class RelationSpec(Tolerance):
    """An expectation about two runs, the second with something changed.

    Attributes:
        change: Dotted keys of the pipeline and what they are changed to.
        quantities: What is compared.
    """

    change: PlainTable = Field(default_factory=dict)
    quantities: Annotated[tuple[Quantity, ...], Field(min_length=1)] = (
        "steps",
        "losses",
        "weights",
        "slots",
        "counters",
        "logs",
        "stop",
    )


class UnchangedBySpec(RelationSpec):
    """A relation: the same trace when something changes that must not matter.

    An empty ``change`` changes nothing: the same run twice.
    """

    kind: Literal["unchanged_by"] = "unchanged_by"


class ChangedBySpec(RelationSpec):
    """A relation: another trace when an argument changes that must have an effect.

    An argument that is accepted and ignored is worse than one that is refused, so a run that is
    refused before its first step, by a ValueError, TypeError or NotImplementedError, passes as
    well.
    """

    kind: Literal["changed_by"] = "changed_by"
    change: Annotated[PlainTable, Field(min_length=1)]


class ShowsSpec(ExpectationSpec):
    """The curves of the run show something to somebody who knows what to look for.

    Attributes:
        symptom: What they show.
        cause: Why, for a spike in the final step.
        absent: They must not show it.
    """

    kind: Literal["shows"] = "shows"
    symptom: SymptomName
    cause: CauseName | None = None
    absent: Flag = False


def _known_figure(name: str) -> str:
    family, dot, key = name.partition(".")
    if name not in FIGURES and not (family in FIGURE_FAMILIES and dot and key):
        msg = "figure"
        raise PydanticCustomError(msg, "not a figure of a trace")
    return name


class BoundSpec(ExpectationSpec):
    """Any figure of the trace stays within limits.

    Attributes:
        figure: For example ``final_loss``, ``max.val_accuracy`` or ``peak_rss_bytes``.
        at_least: Smallest allowed value.
        at_most: Largest allowed value.
        because: Where the bound comes from.
    """

    kind: Literal["bound"] = "bound"
    figure: Annotated[Text, AfterValidator(_known_figure)]
    at_least: Finite | None = None
    at_most: Finite | None = None
    because: Text

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.at_least is None and self.at_most is None:
            msg = "have at_least or at_most"
            raise ValueError(msg)
        low, high = self.at_least, self.at_most
        if low is not None and high is not None and low > high:
            msg = "have at_least <= at_most"
            raise ValueError(msg)
        return self


class LoweredBySpec(ExpectationSpec):
    """A relation: something that is changed lowers a figure.

    Attributes:
        change: Dotted keys of the pipeline and what they are changed to.
        figure: For example ``evaluation.loss`` or ``peak_rss_bytes``.
        to_at_most: Largest allowed share of the figure that is left; below 1.
        because: Where that share comes from.
    """

    kind: Literal["lowered_by"] = "lowered_by"
    change: Annotated[PlainTable, Field(min_length=1)]
    figure: Annotated[Text, AfterValidator(_known_figure)]
    to_at_most: Fraction
    because: Text


class StopsSpec(ExpectationSpec):
    """Training ends for this reason.

    Attributes:
        reason: The stop reason.
        evidence: Text that the evidence must contain, such as a class name.
    """

    kind: Literal["stops"] = "stops"
    reason: StopName
    evidence: Text | None = None


class PreflightSpec(ExpectationSpec):
    """What can be known to be wrong with the plan before the first step.

    Attributes:
        finds: Names of the rules that the plan breaks, see `docs/preflight.md`; none by default.
    """

    kind: Literal["preflight"] = "preflight"
    finds: tuple[PreflightName, ...] = ()


AnyExpectation = Annotated[
    InvariantSpec
    | MatchesOracleSpec
    | UnchangedBySpec
    | ChangedBySpec
    | LoweredBySpec
    | BoundSpec
    | ShowsSpec
    | StopsSpec
    | PreflightSpec,
    Field(discriminator="kind"),
]


def expectation_id(expectation: AnyExpectation) -> str:
    """The name by which a person refers to an expectation."""
    if expectation.id is not None:
        return expectation.id
    match expectation:
        case InvariantSpec():
            return expectation.name
        case UnchangedBySpec() | ChangedBySpec() | LoweredBySpec():
            about = sorted(expectation.change)
        case MatchesOracleSpec():
            about = [expectation.reference]
        case BoundSpec():
            about = [expectation.figure]
        case ShowsSpec():
            about = [expectation.symptom]
        case StopsSpec():
            about = [expectation.reason]
        case PreflightSpec():
            return expectation.kind
        case _:
            assert_never(expectation)
    return ".".join([expectation.kind, *about])
