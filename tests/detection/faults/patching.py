"""What a fault is, and the two ways to plant one in Keras: other words, or another function.

Both are scoped: what was replaced is put back when the context ends, also by an error. An object is
named by its place, `keras.src.module:Class.method`, so that nothing is imported before a
fault is applied.
"""

from __future__ import annotations

import inspect
import sys
import textwrap
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    Plant = Callable[[], AbstractContextManager[None]]
    """Makes a context within which Keras has a fault."""

__all__ = ["AREAS", "Fault", "NotHereError", "both", "replaced", "rewrite", "wrap"]

AREAS: Final = (
    "global_step",
    "early_stopping",
    "data_exhaustion",
    "memory_pressure",
    "clipping",
    "loss_scaling",
    "accumulation",
    "optimizers",
    "schedules",
    "averaging",
    "losses",
    "metrics",
    "compile",
    "callbacks",
    "convergence",
    "determinism",
    "distribution",
    "pipeline",
)
"""The areas that faults are planted in. `throughput` is not among them: slowness is measured."""


class NotHereError(LookupError):
    """This version of Keras does not have what a fault would change."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that Keras might get wrong.

    Attributes:
        name: Lower case words, unique over all areas.
        area: The area whose scenarios must notice it.
        description: What is wrong, as one would say it in a bug report.
        apply: Makes a context within which Keras has the fault.
    """

    name: str
    area: str
    description: str
    apply: Plant


def rewrite(place: str, *changes: tuple[str, str], every: bool = False) -> Plant:
    """The function at `place` with some of its words changed.

    Args:
        place: Module and object.
        changes: Words of its source, and what stands there instead.
        every: Words that occur more than once are changed everywhere; else they must occur once.
    """

    @contextmanager
    def plant() -> Iterator[None]:
        owner, name = _found(place)
        source = textwrap.dedent(inspect.getsource(_function(owner, name)))
        for words, instead in changes:
            count = source.count(words)
            if not count or (count > 1 and not every):
                message = f"{place} has {words!r} {count} times"
                raise NotHereError(message)
            source = source.replace(words, instead)
        with replaced(owner, name, _compiled(owner, name, source)):
            yield

    return plant


def wrap(place: str, make: Callable[[Any], Any]) -> Plant:
    """The function at `place` replaced by what `make` makes of it."""

    @contextmanager
    def plant() -> Iterator[None]:
        owner, name = _found(place)
        with replaced(owner, name, make(getattr(owner, name))):
            yield

    return plant


def both(*plants: Plant) -> Plant:
    """A fault that takes more than one change."""

    @contextmanager
    def plant() -> Iterator[None]:
        with ExitStack() as stack:
            for part in plants:
                stack.enter_context(part())
            yield

    return plant


@contextmanager
def replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """An attribute of a class or module replaced; an inherited one is inherited again after."""
    own = name in vars(owner)
    before = vars(owner).get(name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if own:
            setattr(owner, name, before)
        else:
            delattr(owner, name)


def _found(place: str) -> tuple[Any, str]:
    """The class or module that holds what a place names, and the name under which it does."""
    module, _, path = place.partition(":")
    parent, _, name = path.rpartition(".")
    try:
        owner = resolve_name(f"{module}:{parent}" if parent else module)
        getattr(owner, name)
    except (ImportError, AttributeError) as error:
        message = f"{place} is not there"
        raise NotHereError(message) from error
    return owner, name


def _function(owner: Any, name: str) -> Any:
    static = inspect.getattr_static(owner, name)
    return static.fget if isinstance(static, property) else static


def _compiled(owner: Any, name: str, source: str) -> Any:
    """What `source` defines, with the globals, decorators and `super()` of the original."""
    function = inspect.unwrap(_function(owner, name))
    function = getattr(function, "__func__", function)
    body = textwrap.indent(source, "    ")
    code = compile(f"def make(__class__):\n{body}\n    return {name}", f"<fault in {name}>", "exec")
    made: dict[str, Any] = {}
    exec(code, vars(sys.modules[function.__module__]), made)  # noqa: S102 - our own words in Keras'
    return made["make"](owner)
