"""Finds what `import = "package.module:function"` names, and says what is wrong when it can't."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.spec.base import ImportSpec

__all__ = ["call_import", "resolve"]


def resolve(path: str) -> Callable[..., Any]:
    """The function under ``package.module:function``.

    The working directory is searched as well, as `python -m` does, so that a repository's own
    modules are found without being installed.

    Raises:
        PipelineError: The module does not import, has no such name, or it is not callable.
    """
    module_name, _, attribute = path.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    try:
        target: Any = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        message = (
            f"import must name a module that imports, got {path!r}: "
            f"{type(error).__name__}: {error}. Is its folder on the path?"
        )
        raise PipelineError(message) from error
    for name in attribute.split("."):
        if not hasattr(target, name):
            message = f"import must name something in {module_name}, got {path!r}: no {name!r}."
            raise PipelineError(message)
        target = getattr(target, name)
    if not callable(target):
        message = f"import must name a function, got {path!r} of type {type(target).__name__}."
        raise PipelineError(message)
    found: Callable[..., Any] = target
    return found


def call_import(spec: ImportSpec, expected: type | tuple[type, ...], what: str) -> Any:
    """What the user's function returns for the arguments in the file.

    Args:
        spec: Names the function and its arguments.
        expected: What it must return.
        what: The same in words, for the message.

    Raises:
        PipelineError: The function raises, or returns something else.
    """
    function = resolve(spec.import_)
    try:
        result = function(**spec.arguments)
    except (Exception, SystemExit) as error:
        message = (
            f"{spec.import_} must return {what}, got {type(error).__name__}: {error}. "
            f"It was called with {spec.arguments!r}."
        )
        raise PipelineError(message) from error
    if not isinstance(result, expected):
        message = f"{spec.import_} must return {what}, got type {type(result).__name__}."
        raise PipelineError(message)
    return result
