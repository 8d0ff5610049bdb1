"""An environment's specification to one in which a process can be started."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shlex
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

import harness
from harness.comparison.checkouts import check_out, commit_of, repository_of
from harness.comparison.installing import ALONE, install_overlay, install_venv
from harness.comparison.interpreters import current, interpreter_in, look_at
from harness.comparison.releases import newest_release
from harness.errors import HarnessUsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.comparison.cache import Cache
    from harness.comparison.environments import EnvironmentSpec
    from harness.comparison.interpreters import Interpreter

__all__ = ["Prepared", "prepare"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An environment that is there.

    Attributes:
        name: What the person typed.
        python: Its interpreter.
        path: Folders before everything that is installed, the first one first.
        variables: Environment variables that differ from ours.
        folder: Where its processes work.
        expected: Versions that must be seen in it, by canonical name.
        identity: Equal for environments that are the same, whatever they are called.
    """

    name: str
    python: Path
    path: tuple[Path, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    folder: Path
    expected: Mapping[str, str] = field(default_factory=dict)
    identity: str

    def environment(self) -> dict[str, str]:
        """The whole environment of a process in it.

        The working directory is not on the path by itself: a checkout is there because it was
        asked for, and must not lose against the folder where the command was typed.
        """
        inherited = os.environ.get("PYTHONPATH")
        path = [*map(str, self.path), *([inherited] if inherited else [])]
        programs = os.pathsep.join(filter(None, (str(self.python.parent), os.environ.get("PATH"))))
        return {
            **os.environ,
            "PATH": programs,
            "PYTHONPATH": os.pathsep.join(path),
            "PYTHONSAFEPATH": "1",
            **self.variables,
        }

    def shell_words(self) -> tuple[str, ...]:
        """What a person puts before a command to run it here, where the interpreter is ours."""
        path = os.pathsep.join(str(folder) for folder in self.path[1:])
        words = [f"PYTHONPATH={path}"] if path else []
        words += [f"{name}={value}" for name, value in self.variables.items()]
        return tuple(map(shlex.quote, words)) if self.python == current() else ()


def prepare(spec: EnvironmentSpec, cache: Cache, repository: Path | None = None) -> Prepared:
    """Build what is missing of an environment.

    Args:
        spec: What was asked for.
        cache: Where it is kept.
        repository: Where revisions are looked up; None takes the one around the working folder.

    Raises:
        HarnessUsageError: A path, a revision or a release does not exist.
        EnvironmentBroken: Something cannot be installed.
    """
    python, overlays = _paths(spec)
    interpreter = look_at(python or current())
    packages = tuple(_resolved(package, interpreter) for package in spec.packages)
    parts: dict[str, object] = {
        "python": [interpreter.python, interpreter.implementation, interpreter.platform],
        "prefix": str(interpreter.prefix),
        "versions": dict(interpreter.versions),
        "overlays": [str(path) for path in overlays],
        "packages": packages,
        "variables": spec.variables,
    }
    path = list(_with_wheels(overlays, interpreter, cache))
    if packages:
        names = {canonicalize_name(Requirement(package).name) for package in packages}
        if names <= ALONE:
            path.insert(0, _overlay(packages, interpreter, cache))
        else:
            interpreter = _venv(packages, interpreter, cache)
    folder = Path.cwd()
    if spec.revision is not None:
        top = repository_of(repository or folder)
        commit = commit_of(top, spec.revision)
        parts["revision"] = commit
        checkout = check_out(cache, top, commit)
        path += [found for found in (checkout / "src", checkout) if found.is_dir()]
        inside = folder.relative_to(top) if folder.is_relative_to(top) else Path()
        folder = checkout / inside if (checkout / inside).is_dir() else checkout
    return Prepared(
        name=spec.text,
        python=interpreter.executable,
        path=(_ourselves(cache), *path),
        variables=dict(spec.variables),
        folder=folder,
        expected=_expected(packages),
        identity=_digest(parts),
    )


def _paths(spec: EnvironmentSpec) -> tuple[Path | None, list[Path]]:
    """The interpreter that was named, and the folders to be laid over it."""
    interpreters: list[Path] = []
    overlays: list[Path] = []
    for text in spec.paths:
        # Links are kept: a virtual environment is known by the link that its Python is.
        path = Path(os.path.abspath(Path(text).expanduser()))  # noqa: PTH100
        if not path.exists():
            message = f"environment {spec.text!r} must name a path that exists, got {text}."
            raise HarnessUsageError(message)
        found = interpreter_in(path)
        if found is not None:
            interpreters.append(found)
        elif path.is_dir() or path.suffix == ".whl":
            overlays.append(path)
        else:
            message = (
                f"environment {spec.text!r} must name a folder of packages, a wheel, a virtual "
                f"environment or an interpreter, got {text}."
            )
            raise HarnessUsageError(message)
    if len(interpreters) > 1:
        message = f"environment {spec.text!r} must name one interpreter at most, got two."
        raise HarnessUsageError(message)
    return (interpreters[0] if interpreters else None), overlays


def _resolved(package: str, interpreter: Interpreter) -> str:
    """A requirement with exactly one version: the newest that fits."""
    requirement = Requirement(package)
    pins = [clause.version for clause in requirement.specifier if clause.operator == "=="]
    if len(pins) == 1 and "*" not in pins[0]:
        return str(requirement)
    version = newest_release(requirement, interpreter.executable)
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    return f"{requirement.name}{extras}=={version}"


def _overlay(packages: Sequence[str], interpreter: Interpreter, cache: Cache) -> Path:
    return cache.built(
        _named("overlay", packages, _built_for(interpreter, packages)),
        lambda part: install_overlay(part, packages, interpreter),
    )


def _venv(packages: Sequence[str], interpreter: Interpreter, cache: Cache) -> Interpreter:
    about = {**_built_for(interpreter, packages), "versions": dict(interpreter.versions)}
    folder = cache.built(
        _named("venv", packages, about), lambda part: install_venv(part, packages, interpreter)
    )
    python = interpreter_in(folder)
    if python is None:
        message = f"{folder} must hold an interpreter, got none. Remove it with --clean."
        raise HarnessUsageError(message)
    return look_at(python)


def _with_wheels(overlays: Sequence[Path], interpreter: Interpreter, cache: Cache) -> list[Path]:
    """Folders as they are, wheels installed into one."""
    found = []
    for path in overlays:
        if path.suffix == ".whl" and path.is_file():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            about = {**_built_for(interpreter, [path.name]), "content": content}
            name = _named("wheel", [str(parse_wheel_filename(path.name)[0])], about)
            install = functools.partial(install_overlay, packages=[str(path)], base=interpreter)
            found.append(cache.built(name, install))
        else:
            found.append(path)
    return found


def _ourselves(cache: Cache) -> Path:
    """A folder with this package and nothing else, to be seen from every environment."""
    package = Path(harness.__file__).parent

    def build(part: Path) -> None:
        try:
            (part / "harness").symlink_to(package, target_is_directory=True)
        except OSError:
            # Where links need a privilege.
            shutil.copytree(package, part / "harness")

    where = hashlib.sha256(str(package).encode()).hexdigest()[:12]
    return cache.built(f"harness-{where}", build)


def _built_for(interpreter: Interpreter, packages: Sequence[str]) -> dict[str, object]:
    return {
        "packages": list(packages),
        "python": interpreter.implementation,
        "platform": interpreter.platform,
        "prefix": str(interpreter.prefix),
    }


def _expected(packages: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for package in packages:
        requirement = Requirement(package)
        (clause,) = requirement.specifier
        found[canonicalize_name(requirement.name)] = clause.version
    return found


def _named(kind: str, packages: Sequence[str], about: Mapping[str, object]) -> str:
    """A folder's name: what it is for people, and a digest of all it depends on."""
    readable = "+".join(package.replace("==", "-") for package in packages)
    safe = "".join(letter if letter.isalnum() or letter in "+-._" else "_" for letter in readable)
    return f"{kind}-{safe[:60]}-{_digest(about)}"


def _digest(about: Mapping[str, object]) -> str:
    text = json.dumps(about, sort_keys=True, default=list)
    return hashlib.sha256(f"{sys.platform} {text}".encode()).hexdigest()[:12]
