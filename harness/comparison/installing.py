"""Packages into folders of their own: with uv where it is found, else with pip."""

from __future__ import annotations

import shutil
import sys
import tempfile
import venv
from pathlib import Path
from typing import TYPE_CHECKING, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from harness.comparison.commands import EnvironmentBroken, run_tool
from harness.comparison.interpreters import interpreter_in, look_at, unmet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.comparison.interpreters import Interpreter

__all__ = ["ALONE", "install_overlay", "install_venv"]

ALONE: Final = frozenset({"keras", "keras-nightly"})
"""What a folder laid over an installation can replace: it has no compiled parts."""

_TENSORFLOW: Final = ("tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tf-nightly")
_ROUNDS: Final = 8
"""Requirements of requirements: dm-tree of Keras 3.0 is the deepest, with one round."""


def install_overlay(folder: Path, packages: Sequence[str], base: Interpreter) -> None:
    """Install packages into a folder, and what they need that `base` lacks altogether.

    Args:
        folder: Empty, to be put on the path before what is installed.
        packages: Requirements, or paths of wheels.
        base: Over which it will be laid.

    Raises:
        EnvironmentBroken: It cannot be installed; the installer's own words are in the message.
    """
    wanted = tuple(packages)
    for _ in range(_ROUNDS):
        _into(folder, wanted, base)
        look_at.cache_clear()
        over = look_at(base.executable, folder)
        wanted = unmet(over, _names_in(folder))
        if not wanted:
            return
    message = f"the requirements of {', '.join(packages)} must come to an end, got {wanted}."
    raise EnvironmentBroken(message)


def install_venv(folder: Path, packages: Sequence[str], base: Interpreter) -> None:
    """Make a virtual environment that has these packages, and everything else from `base`.

    What the packages require is taken in the versions of `base` where that is possible, so that
    nothing differs but what was asked for; else only Keras is held, and at last nothing.

    Args:
        folder: Empty.
        packages: Requirements.
        base: Its packages come after those of the new environment.

    Raises:
        EnvironmentBroken: It cannot be installed; the installer's own words are in the message.
    """
    if base.executable == Path(sys.executable):
        venv.EnvBuilder(symlinks=sys.platform != "win32", with_pip=False).create(folder)
    else:
        command = ("-m", "venv", "--without-pip", str(folder))
        run_tool([base.executable, *command], "make a virtual environment")
    python = interpreter_in(folder)
    if python is None:
        message = f"{base.executable} must make a virtual environment, got one without Python."
        raise EnvironmentBroken(message)
    asked = {canonicalize_name(Requirement(package).name) for package in packages}
    tensorflow = not asked.isdisjoint(_TENSORFLOW)
    held = {
        name: version
        for name, version in base.versions.items()
        if name not in asked and not (tensorflow and name in _TENSORFLOW)
    }
    keras = {name: version for name, version in held.items() if name in ALONE}
    # TensorFlow asks for some Keras, and would get the newest.
    extra = [f"{name}=={version}" for name, version in keras.items()] if tensorflow else []
    attempts: list[Mapping[str, str]] = [held, keras]
    for number, constraints in enumerate(attempts, start=1):
        try:
            _into_venv(python, [*packages, *extra], constraints, base)
        except EnvironmentBroken:
            if number == len(attempts):
                raise
        else:
            break
    site = look_at(python).site[0]
    look_at.cache_clear()
    # A line of such a file is a folder that comes last on the path.
    (Path(site) / "_base.pth").write_text("\n".join(base.site) + "\n", encoding="utf-8")


def _into(folder: Path, packages: Sequence[str], base: Interpreter) -> None:
    pip = _installer(base.executable)
    target = ["--no-deps", "--target", str(folder)]
    run_tool([*pip, *target, *packages], f"install {', '.join(packages)}")


def _into_venv(
    python: Path, packages: Sequence[str], constraints: Mapping[str, str], base: Interpreter
) -> None:
    with tempfile.TemporaryDirectory(prefix="harness-") as kept:
        file = Path(kept) / "constraints.txt"
        lines = [f"{name}=={version}" for name, version in constraints.items()]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        run_tool(
            [*_installer(base.executable, into=python), "--constraint", str(file), *packages],
            f"install {', '.join(packages)}",
        )


def _installer(python: Path, into: Path | None = None) -> list[str]:
    """The command that installs for an interpreter; pip has to be installed beside it."""
    if (uv := shutil.which("uv")) is not None:
        return [uv, "pip", "install", "--quiet", "--python", str(into or python)]
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet"]
    if into is not None:
        pip += ["--python", str(into)]
    return [*pip, "install"]


def _names_in(folder: Path) -> list[str]:
    """Distributions that lie in a folder."""
    found = (path.name.removesuffix(".dist-info") for path in folder.glob("*.dist-info"))
    return sorted(name.partition("-")[0] for name in found)
