"""Who sets ``stop_training``, and where callbacks were made."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import keras

from harness.diagnosis.observing.places import hook_in, place_of, user_place
from harness.diagnosis.observing.wrapping import wrap

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

__all__ = ["describe_callback", "watch_callbacks", "watch_stops"]

_PLACE = "_observed_place"
_SPEAKING = frozenset(
    {"print", "write", "info", "warning", "warn", "error", "critical", "log", "print_msg", "echo"}
)
"""Names by which a program tells people something."""


def watch_callbacks() -> None:
    """Note for each callback at which line of the user's it was made."""

    def made(original: Callable[..., Any], callback: Any, *args: Any, **kw: Any) -> None:
        original(callback, *args, **kw)
        if not hasattr(callback, _PLACE):
            place = user_place(sys._getframe(1))
            object.__setattr__(callback, _PLACE, place)

    wrap(keras.callbacks.Callback, "__init__", made)


def watch_stops(trainer: type, told: Callable[[Any, dict[str, Any]], None]) -> None:
    """Make ``stop_training`` of a trainer a property that tells who set it.

    Args:
        trainer: Keras' trainer class.
        told: Gets the model and what is known of who set it, each time it becomes true.
    """

    def get(model: Any) -> bool:
        return bool(model.__dict__.get("stop_training", False))

    def put(model: Any, value: Any) -> None:
        was = get(model)
        model.__dict__["stop_training"] = value
        if value and not was:
            told(model, _request(sys._getframe(1)))

    trainer.stop_training = property(get, put)  # type: ignore[attr-defined]


def describe_callback(callback: Any) -> dict[str, Any]:
    """A callback as plain values: its class, where it was made, and whether Keras ships it."""
    return {
        "name": type(callback).__name__,
        "place": getattr(callback, _PLACE, None),
        "keras": type(callback).__module__.startswith("keras."),
    }


def _request(frame: FrameType) -> dict[str, Any]:
    """Who sets it: the frame that assigns, past the setters of Keras' own layers."""
    one: FrameType | None = frame
    while one is not None and one.f_code.co_name in {"__setattr__", "put"}:
        one = one.f_back
    found: dict[str, Any] = {"callback": None, "hook": None, "speaks": True}
    if one is None:
        return found
    found["location"] = place_of(one.f_code, one.f_lineno)
    hook = hook_in(one, keras.callbacks.Callback)
    if hook is not None:
        description = describe_callback(hook.callback)
        found |= {
            "callback": description["name"],
            "hook": hook.name,
            "made_at": description["place"],
            "keras": description["keras"],
            "bases": [base.__name__ for base in type(hook.callback).__mro__],
            "speaks": _speaks(hook.frame.f_code) or _speaks(one.f_code),
            "state": _state(hook.callback),
        }
    return found


def _speaks(code: CodeType) -> bool:
    """Whether code names anything that tells people something."""
    return bool(_SPEAKING.intersection(code.co_names))


def _state(callback: Any) -> dict[str, Any]:
    """Plain attributes of a callback, such as ``wait``, ``patience`` and ``best``."""
    return {
        name: value
        for name, value in vars(callback).items()
        if not name.startswith("_") and isinstance(value, bool | int | float | str)
    }
