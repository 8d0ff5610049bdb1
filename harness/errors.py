"""Every error the harness raises on purpose.

    Exception
    └── HarnessError                  anything a caller may want to catch at once
        ├── SpecError                 a scenario file breaks rules; carries every problem found
        ├── ShapeError (ValueError)   arrays do not fit together
        ├── TraceFormatError          a trace file is foreign, damaged or too new
        ├── PipelineError             the specification is fine, building or running it is not
        ├── PreflightError            a training is refused before its first step
        ├── MissingBackendError       no Keras, or no backend for it, is installed
        └── HarnessUsageError         a call breaks a rule: an unknown name, an unrecorded quantity

Messages read ``X must <rule>, got <value>. <Remedy>.``. This module imports nothing outside the
standard library, because it is loaded before every pytest session.
"""

from dataclasses import dataclass

__all__ = [
    "HarnessError",
    "HarnessUsageError",
    "MissingBackendError",
    "PipelineError",
    "PreflightError",
    "Problem",
    "ShapeError",
    "SpecError",
    "TraceFormatError",
]


@dataclass(frozen=True, slots=True)
class Problem:
    """One rule that a scenario file breaks.

    Attributes:
        path: File the problem is in, as the reader typed it; empty when there is no file.
        line: Line in that file, from 1, where it is known.
        key: Dotted key, such as ``pipeline.optimizer.beta_2``; empty for the whole file.
        rule: What the value must do, to follow "must": ``lie in [0, 1)``.
        got: The offending value as text; empty when there is none to show.
        remedy: A full sentence on what to do, or None.
    """

    path: str
    line: int | None
    key: str
    rule: str
    got: str
    remedy: str | None = None

    def __str__(self) -> str:
        """Render as ``path:line: key must <rule>, got <got>. <remedy>`` without empty parts."""
        line = "" if self.line is None else str(self.line)
        place = ":".join(part for part in (self.path, line) if part)
        rule = f"must {self.rule}" if self.rule else ""
        claim = " ".join(part for part in (self.key, rule) if part)
        head = f"{place}: " if place else ""
        got = f", got {self.got}" if self.got else ""
        tail = f" {self.remedy}" if self.remedy else ""
        return f"{head}{claim}{got}.{tail}"


class HarnessError(Exception):
    """Root of all errors the harness raises on purpose."""


class SpecError(HarnessError):
    """A scenario file or specification breaks rules; all of them are reported at once.

    Attributes:
        problems: What is wrong, in the order of the file.
    """

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """Keep the problems and join them, one a line, into the message."""
        super().__init__(problems)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        """One line a problem."""
        return "\n".join(str(problem) for problem in self.problems)


class ShapeError(HarnessError, ValueError):
    """Arrays given to an oracle, or columns given to a table, do not fit together."""


class TraceFormatError(HarnessError):
    """A trace file cannot be read: foreign, truncated, damaged or written by a newer harness."""


class PipelineError(HarnessError):
    """A valid specification cannot be built or run: an import fails, data are unusable."""


class PreflightError(HarnessError):
    """A training is refused before its first step: something in its plan can't work."""


class MissingBackendError(HarnessError):
    """Training was asked for, but no Keras or no backend for it is installed.

    The message tells how to get it: ``pip install "pytest-training-harness[cpu]"``.
    """


class HarnessUsageError(HarnessError):
    """A call breaks a rule of the harness: an unknown name, an unrecorded quantity, a bad value."""
