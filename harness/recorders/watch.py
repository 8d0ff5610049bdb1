"""Watches callbacks: which one stopped the training or raised, and at which file and line."""

from __future__ import annotations

import inspect
import re
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CallbackWatch", "Request", "public_state"]

_HOOKS = tuple(
    f"on_{part}_{edge}"
    for part in (
        "train",
        "epoch",
        # Keras' default of `on_train_batch_*` calls these, which TerminateOnNaN overrides.
        "batch",
        "train_batch",
        "test",
        "test_batch",
        "predict",
        "predict_batch",
    )
    for edge in ("begin", "end")
)
_PLAIN = (bool, int, float, str, np.number, np.bool_)
_ASSIGNMENT = re.compile(r"\bstop_training\s*=(?!=)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One callback that stopped the training or raised.

    Attributes:
        callback: Its class.
        bases: Names of the class and its bases.
        hook: The hook it happened in.
        location: ``file:line`` of the statement, as far as it can be known.
        epoch: Epoch that was running.
    """

    callback: str
    bases: tuple[str, ...]
    hook: str
    location: str
    epoch: int


@dataclass(slots=True)
class CallbackWatch:
    """Wraps the hooks of callback instances; a hook that Keras would not call stays as it is.

    Attributes:
        stops: Who set ``stop_training``, in order.
        failure: Who raised.
        epoch: Kept up to date by the epoch recorder.
        on_stop: Told about each of `stops` at once.
        on_enter: Told about each hook before it runs; None where nobody wants to know.
        on_leave: Told when the innermost hook has returned.
    """

    on_stop: Callable[[Request], None] = lambda _: None
    on_enter: Callable[[Request], None] | None = None
    on_leave: Callable[[], None] = lambda: None
    stops: list[Request] = field(default_factory=list)
    failure: Request | None = None
    epoch: int = 0

    def watch(self, callback: Any) -> None:
        """Observe one callback from now on."""
        for name in _HOOKS:
            hook = getattr(callback, name, None)
            if hook is not None and not getattr(hook, "_is_default", False):
                setattr(callback, name, self._watched(callback, name, hook))

    def _watched(self, callback: Any, name: str, hook: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            model = getattr(callback, "model", None)
            stopping = bool(getattr(model, "stop_training", False))
            if self.on_enter is not None:
                self.on_enter(self._request(callback, name, _place_of(hook)))
            try:
                result = hook(*args, **kwargs)
            except BaseException as error:
                self.failure = self._request(callback, name, _raised_at(error, callback))
                raise
            if self.on_enter is not None:
                self.on_leave()
            if not stopping and bool(getattr(callback.model, "stop_training", False)):
                self.stops.append(self._request(callback, name, _stops_at(hook, callback)))
                self.on_stop(self.stops[-1])
            return result

        return watched

    def _request(self, callback: Any, hook: str, location: str) -> Request:
        return Request(
            callback=type(callback).__name__,
            bases=tuple(base.__name__ for base in type(callback).__mro__),
            hook=hook,
            location=location,
            epoch=self.epoch,
        )


def public_state(callback: Any) -> dict[str, str | float | int | bool]:
    """The plain public attributes of a callback, such as ``wait`` and ``best``."""
    state: dict[str, str | float | int | bool] = {}
    for name, value in vars(callback).items():
        if name.startswith("_") or not isinstance(value, _PLAIN):
            continue
        state[name] = value.item() if isinstance(value, np.generic) else value
    return state


def _raised_at(error: BaseException, callback: Any) -> str:
    """The innermost line of the callback's own file, or of any file where it has none."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == _file_of(type(callback))]
    return "unknown" if not frames else "{0.filename}:{0.lineno}".format((own or frames)[-1])


def _stops_at(hook: Callable[..., Any], callback: Any) -> str:
    """The line that assigns ``stop_training``: in the hook, else in its class, else the hook."""
    first = None
    for place in (hook, type(callback)):
        try:
            lines, start = inspect.getsourcelines(place)
        except (OSError, TypeError):
            continue
        first = first or f"{_file_of(place)}:{start}"
        for number, line in enumerate(lines, start):
            if _ASSIGNMENT.search(line):
                return f"{_file_of(place)}:{number}"
    return first or "unknown"


def _place_of(hook: Callable[..., Any]) -> str:
    code = getattr(hook, "__code__", None)
    return "unknown" if code is None else f"{code.co_filename}:{code.co_firstlineno}"


def _file_of(place: Any) -> str | None:
    try:
        return inspect.getsourcefile(place)
    except TypeError:
        return None
