"""What a person calls an environment, ``keras==3.14.0,OMP_NUM_THREADS=1``, as frozen data."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from harness.errors import HarnessUsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["AS_IT_IS", "THREAD_VARIABLES", "EnvironmentSpec", "parse_environment"]

AS_IT_IS: Final = "."
"""How the environment that the command itself runs in is written."""

THREAD_VARIABLES: Final = (
    "OMP_NUM_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS",
)
"""What ``threads:N`` sets."""

_FORMS: Final = (
    f"Write `{AS_IT_IS}` (as it is), `keras==3.14.0`, `git:REVISION`, `NAME=VALUE`, `threads:N` or "
    "a path with a slash in it, several joined by commas."
)
_VARIABLE: Final = re.compile(r"(?:env:)?([A-Za-z_][A-Za-z0-9_]*)=(?!=)(.*)", re.DOTALL)
_COMMA: Final = re.compile(r"(?<!\\),")
_CONTINUES: Final = re.compile(r"\s*(?:===|==|!=|~=|<=|>=|<|>)")
"""A part that begins with a version operator belongs to the requirement before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentSpec:
    """An environment as it was asked for; nothing is built or looked up yet.

    Attributes:
        text: What the person typed; also its name in every report.
        packages: Requirements with a version, such as ``keras==3.14.0``, in order of name.
        revision: Revision of the user's repository.
        variables: Environment variables by name, in order of name.
        paths: Overlay folders, wheels, virtual environments or interpreters, in order.
    """

    text: str
    packages: tuple[str, ...] = ()
    revision: str | None = None
    variables: tuple[tuple[str, str], ...] = ()
    paths: tuple[str, ...] = ()


def parse_environment(text: str) -> EnvironmentSpec:
    r"""What one argument of the command line asks for.

    Parts are joined by commas; a comma inside a value is written ``\,``. A version range keeps its
    commas: ``keras>=3.10,<3.12`` is one part.

    Raises:
        HarnessUsageError: A part is none of the forms, or contradicts another.
    """
    packages: dict[str, str] = {}
    variables: dict[str, str] = {}
    revisions: list[str] = []
    paths: list[str] = []
    for part in _parts(text):
        if part == AS_IT_IS:
            continue
        if part.startswith("git:"):
            revisions.append(_revision(text, part))
        elif part.startswith("threads:"):
            _add(text, variables, _threads(text, part), "variable")
        elif match := _VARIABLE.fullmatch(part):
            _add(text, variables, [(match[1], match[2])], "variable")
        elif part.startswith("env:"):
            raise _wrong(text, "name a variable and its value after env:", part)
        elif _is_path(part):
            paths.append(part)
        else:
            _add(text, packages, [_package(text, part)], "package")
    if len(revisions) > 1:
        raise _wrong(text, "name one git revision at most", " and ".join(revisions))
    return EnvironmentSpec(
        text=text,
        packages=tuple(packages[name] for name in sorted(packages)),
        revision=revisions[0] if revisions else None,
        variables=tuple(sorted(variables.items())),
        paths=tuple(paths),
    )


def _parts(text: str) -> Iterator[str]:
    parts: list[str] = []
    for part in _COMMA.split(text):
        if parts and _CONTINUES.match(part):
            parts[-1] += f",{part}"
        else:
            parts.append(part)
    for part in parts:
        if not part.strip():
            raise _wrong(text, "have something between its commas", repr(text))
        yield part.strip().replace("\\,", ",")


def _revision(text: str, part: str) -> str:
    revision = part.removeprefix("git:")
    # One that begins with a dash would be an option to git.
    if not revision or revision.startswith("-"):
        raise _wrong(text, "name a git revision after git:", repr(part))
    return revision


def _threads(text: str, part: str) -> list[tuple[str, str]]:
    count = part.removeprefix("threads:")
    if not count.isascii() or not count.isdigit() or int(count) < 1:
        raise _wrong(text, "give a number of threads from 1 after threads:", repr(part))
    return [(name, str(int(count))) for name in THREAD_VARIABLES]


def _is_path(part: str) -> bool:
    separators = [os.sep, *([os.altsep] if os.altsep else [])]
    return part.startswith((".", "~")) or (
        any(separator in part for separator in separators) and "@" not in part
    )


def _package(text: str, part: str) -> tuple[str, str]:
    try:
        requirement = Requirement(part)
    except InvalidRequirement:
        raise _wrong(text, "be made of known parts", repr(part)) from None
    if not requirement.specifier or requirement.url or requirement.marker:
        # A bare word may be meant as a branch or a folder: never install a package for it.
        raise _wrong(text, "give a package and its version, name==version", repr(part))
    return canonicalize_name(requirement.name), str(requirement)


def _add(text: str, known: dict[str, str], new: Iterable[tuple[str, str]], what: str) -> None:
    for name, value in new:
        if name in known:
            raise _wrong(text, f"name each {what} once", f"{name} twice")
        known[name] = value


def _wrong(text: str, rule: str, got: str) -> HarnessUsageError:
    message = f"environment {text!r} must {rule}, got {got}. {_FORMS}"
    return HarnessUsageError(message)
