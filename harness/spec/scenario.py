"""One scenario file as one frozen value."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from packaging.requirements import InvalidRequirement, Requirement
from pydantic import AfterValidator, BeforeValidator, Field, Strict, WithJsonSchema

from harness.spec.base import (
    AtLeastTwo,
    Count,
    Flag,
    PlainTable,
    Positive,
    PositiveCount,
    Real,
    Rule,
    Spec,
    Text,
)
from harness.spec.expectation import AnyExpectation
from harness.spec.pipeline import PipelineSpec
from harness.spec.vary import Draw, is_only_for_pipelines


def _package_and_range(text: str) -> str:
    message = "be a package and its PEP 440 range, such as keras>=3.12,<3.16"
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise ValueError(message) from error
    if not requirement.specifier or requirement.extras or requirement.marker:
        raise ValueError(message)
    return text


VersionRange = Annotated[str, Strict(), AfterValidator(_package_and_range)]


class ConditionSpec(Spec):
    """A condition on the value under one dotted key of a drawn pipeline; all parts must hold.

    Attributes:
        is_: Equal to this; written ``is``.
        in_: One of these; written ``in``.
        at_least: A number not below this.
        at_most: A number not above this.
        nan: A not-a-number (or, with false, not one).
        given: Present and not none (or, with false, absent).
        has_nan: A list with (or, with false, without) a not-a-number.
    """

    is_: Any = Field(default=None, alias="is")
    in_: tuple[Any, ...] | None = Field(default=None, alias="in")
    at_least: Real | None = None
    at_most: Real | None = None
    nan: Flag | None = None
    given: Flag | None = None
    has_nan: Flag | None = None


class KnownIssueSpec(Spec):
    """A defect of released framework versions that this scenario demonstrates.

    Attributes:
        id: Short name, for the report.
        versions: Package and PEP 440 range, such as ``keras>=3.12,<3.16``.
        reason: What is wrong, in a sentence or two, with the upstream link if there is one.
        expectation: Id of the expectation it excuses.
        when: Conditions by dotted key; draws that meet all of one table are left out of the
            property. Several tables are alternatives. None excuses every draw.
        example: Changes to the pipeline, by dotted key, that show the defect. They must fail
            while the defect is there: the day they pass, the suite says so.
    """

    id: Annotated[
        str,
        Strict(),
        Field(pattern=r"^[a-z0-9_-]+$"),
        Rule("be made of lower-case letters, digits, _ and -"),
    ]
    versions: VersionRange
    reason: Text
    expectation: Text
    when: tuple[dict[str, ConditionSpec], ...] | None = None
    example: PlainTable = Field(default_factory=dict)


class ClaimSpec(Spec):
    """A sentence of the literature, and what this scenario makes of it.

    Attributes:
        text: Number of the text, 000 to 004.
        says: The sentence, in our words.
        verdict: What running it shows.
        finding: What is true instead, or under which condition.
    """

    text: Annotated[
        str, Strict(), Field(pattern=r"^[0-9]{3}$"), Rule("be the three digits of a text")
    ]
    says: Text
    verdict: Literal["confirmed", "refuted", "depends"]
    finding: Text


_SIZE = r"([0-9]+(?:\.[0-9]+)?) ?(KiB|MiB|GiB)"


def _bytes_from_text(value: Any) -> Any:
    """A size as text to its number of bytes; what is no such text is left as it is."""
    if not isinstance(value, str):
        return value
    found = re.fullmatch(_SIZE, value)
    if found is None:
        message = 'be a number of bytes, or text such as "600 MiB" or "1.5 GiB"'
        raise ValueError(message)
    return round(float(found[1]) * 1024 ** (1 + ("KiB", "MiB", "GiB").index(found[2])))


MemorySize = Annotated[
    int,
    BeforeValidator(_bytes_from_text),
    Strict(),
    Field(ge=1),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": f"^{_SIZE}$"}]}
    ),
]


class LimitsSpec(Spec):
    """What a run may cost. In a process of its own a run is ended that takes more.

    Attributes:
        peak_rss_bytes: Peak resident memory of the process; judged after the run.
        wall_seconds: Time for one run, first trace included; a run in our own process is judged
            by it afterwards.
        stall_seconds: Longest time in which no step, epoch or callback hook begins or ends.
        memory: Memory that a run may hold beyond what TensorFlow and Keras take when they are
            imported: bytes, or text such as ``600 MiB``.
        isolation: ``process`` makes each run in a process of its own, ``none`` all in ours;
            ``auto`` takes a process where `memory`, `wall_seconds` or `stall_seconds` is given, or
            where a run is expected to be killed or timed out.
    """

    peak_rss_bytes: PositiveCount | None = None
    wall_seconds: Positive | None = None
    stall_seconds: Positive | None = None
    memory: MemorySize | None = None
    isolation: Literal["auto", "process", "none"] = "auto"


class BenchmarkSpec(Spec):
    """The speed of the pipeline is measured: warm, and apart from compiling.

    Attributes:
        measure: ``step`` times train steps on full batches alone; ``epoch`` whole epochs of
            ``fit`` as the pipeline has them, validation and callbacks included.
        warmup_steps: Steps after the first one that are not measured.
        steps: Steps per round; an epoch has as many as the data make.
        rounds: Rounds that are measured; the quick profile takes fewer, thorough more.
        against: Changes to the pipeline, by dotted key, that make the other side of a ratio. Both
            sides are measured round by round in turns.
        device: ``gpu`` measures on a machine with a GPU only.
        group: Rows of pytest-benchmark's table that stand together; None is the area.
    """

    measure: Literal["step", "epoch"] = "step"
    warmup_steps: Count = 10
    steps: PositiveCount = 100
    rounds: AtLeastTwo = 10
    against: PlainTable = Field(default_factory=dict)
    device: Literal["any", "gpu"] = "any"
    group: Text | None = None


class ScenarioSpec(Spec):
    """The tables of one scenario file.

    Attributes:
        title: One sentence: what must be true.
        source: Texts and documents it comes from.
        pipeline: The pipeline with the first sample of everything that varies.
        vary: What is drawn, by dotted key of the pipeline.
        expect: What must hold of every draw. Only a measurement does without.
        claim: Sentences this scenario settles.
        known_issue: Defects of released versions that it shows.
        limits: What a run may cost.
        benchmark: Makes it a measurement of speed as well.
        examples: Draws in the quick profile; the others multiply it. None is the profile's.
        requires: Package and PEP 440 range without which there is nothing to judge, such as
            ``keras>=3.10`` for what an older Keras does not have.
    """

    title: Annotated[str, Strict(), Field(min_length=8)]
    source: Text | None = None
    pipeline: PipelineSpec = PipelineSpec()
    vary: Annotated[dict[str, Draw], AfterValidator(is_only_for_pipelines)] = Field(
        default_factory=dict
    )
    expect: Annotated[tuple[AnyExpectation, ...], Field(min_length=1)] = ()
    claim: tuple[ClaimSpec, ...] = ()
    known_issue: tuple[KnownIssueSpec, ...] = ()
    limits: LimitsSpec = LimitsSpec()
    benchmark: BenchmarkSpec | None = None
    examples: PositiveCount | None = None
    requires: VersionRange | None = None
