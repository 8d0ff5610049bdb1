"""What an interpreter is and has installed, asked of the interpreter itself."""

from __future__ import annotations

import functools
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from harness.comparison.commands import run_tool
from harness.errors import HarnessUsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Interpreter", "current", "interpreter_in", "look_at", "unmet"]

_QUESTION: Final = """
import json, platform, sys, sysconfig
from importlib import metadata
names = {}
for found in metadata.distributions():
    if found.metadata["Name"]:
        names.setdefault(found.metadata["Name"], [found.version, found.requires or []])
print(json.dumps({
    "python": platform.python_version(),
    "platform": sysconfig.get_platform(),
    "implementation": sys.implementation.cache_tag,
    "prefix": sys.prefix,
    "site": sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}),
    "distributions": names,
}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A Python that is installed.

    Attributes:
        executable: Its path, links not resolved: a virtual environment is known by its link.
        python: Its version.
        platform: What wheels for it are built for, such as ``linux-x86_64``.
        implementation: Such as ``cpython-311``.
        prefix: Folder of the environment it belongs to.
        site: Folders of its installed packages.
        versions: Versions of the installed distributions by canonical name.
        requires: What each of them requires, likewise.
    """

    executable: Path
    python: str
    platform: str
    implementation: str
    prefix: Path
    site: tuple[str, ...]
    versions: Mapping[str, str]
    requires: Mapping[str, tuple[str, ...]]


@functools.cache
def look_at(executable: Path, overlay: Path | None = None) -> Interpreter:
    """What an interpreter has installed, and what a folder laid over it holds.

    Raises:
        EnvironmentBroken: It does not run.
    """
    env = {**os.environ, "PYTHONSAFEPATH": "1"}
    if overlay is not None:
        env["PYTHONPATH"] = os.pathsep.join(filter(None, (str(overlay), env.get("PYTHONPATH"))))
    said = run_tool([executable, "-c", _QUESTION], "say what is installed", env=env)
    answer: dict[str, Any] = json.loads(said.splitlines()[-1])
    found = {canonicalize_name(name): about for name, about in answer["distributions"].items()}
    return Interpreter(
        executable=executable,
        python=answer["python"],
        platform=answer["platform"],
        implementation=answer["implementation"],
        prefix=Path(answer["prefix"]),
        site=tuple(answer["site"]),
        versions={name: version for name, (version, _) in found.items()},
        requires={name: tuple(requires) for name, (_, requires) in found.items()},
    )


def interpreter_in(path: Path) -> Path | None:
    """The interpreter that a path names: itself, or that of a virtual environment; else None."""
    if path.is_file() and os.access(path, os.X_OK) and path.suffix != ".whl":
        return path
    for below in ("bin/python", "Scripts/python.exe"):
        if (path / below).exists():
            return path / below
    return None


def current() -> Path:
    """The interpreter that runs this.

    Raises:
        HarnessUsageError: Python does not know where it is.
    """
    if not sys.executable:
        message = "Python must know its own path to start another, got none."
        raise HarnessUsageError(message)
    return Path(sys.executable)


def unmet(interpreter: Interpreter, names: Iterable[str]) -> tuple[str, ...]:
    """What these distributions require and the interpreter lacks altogether, in order of name.

    A requirement that is there in another version is left alone: an overlay replaces what it was
    asked to replace, and nothing else.
    """
    missing: dict[str, str] = {}
    for name in names:
        for text in interpreter.requires.get(canonicalize_name(name), ()):
            requirement = Requirement(text)
            marker = requirement.marker
            key = canonicalize_name(requirement.name)
            if (marker is None or marker.evaluate({"extra": ""})) and (
                key not in interpreter.versions
            ):
                missing[key] = f"{requirement.name}{requirement.specifier}"
    return tuple(missing[key] for key in sorted(missing))
